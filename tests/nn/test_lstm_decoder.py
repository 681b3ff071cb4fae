import numpy as np
import pytest

from minitransformer.nn.bahdanau_decoder import BahdanauDecoder
from minitransformer.nn.lstm import LstmState
from minitransformer.nn.lstm_decoder import LstmDecoder, LuongDecoder
from minitransformer.ops.lstm import lstm_cell_forward
from tests.gradient_check import assert_operation_gradients
from tests.small_models import randomise

IN, H = 4, 3
LENGTHS, SOURCE_LENGTHS = np.array([2, 4, 1]), np.array([3, 1, 2])
every_decoder = pytest.mark.parametrize("kind", [LstmDecoder, LuongDecoder, BahdanauDecoder])


def decoder(kind):
    return randomise(kind(IN, H).initialise(dtype=np.float64))


def arrays(seed=5):
    """x, source, h and c."""
    return [np.random.default_rng(seed).normal(size=shape) for shape in ((7, IN), (6, H), (3, H), (3, H))]


@every_decoder
def test_the_gradients_of_x_of_the_source_and_of_the_state_equal_central_differences(kind):
    layer = decoder(kind)

    def forward(x, source, h, c):
        hidden, _, cache = layer.forward_from(LstmState(h, c), x, LENGTHS, layer.sources(source, SOURCE_LENGTHS))
        return hidden, cache

    def backward(dy, cache):
        dx, d_state, d_source = layer.backward_to(dy, cache)
        return dx, d_source, *d_state

    assert_operation_gradients(forward, backward, *arrays())


@every_decoder
def test_in_two_parts_from_state_to_state_equals_all_at_once(kind):
    layer, (x, source, h, c) = decoder(kind), arrays()
    lengths, state = np.array([3, 3]), LstmState(h[:2], c[:2])
    sources = layer.sources(source[:4], SOURCE_LENGTHS[:2])
    expected, last, _ = layer.forward_from(state, x[:6], lengths, sources)
    first, state, _ = layer.forward_from(state, x[[0, 3]], np.array([1, 1]), sources)
    rest, state, _ = layer.forward_from(state, x[[1, 2, 4, 5]], np.array([2, 2]), sources)
    np.testing.assert_allclose(first, expected[[0, 3]], rtol=1e-12)
    np.testing.assert_allclose(rest, expected[[1, 2, 4, 5]], rtol=1e-12)
    np.testing.assert_allclose(np.hstack(state), np.hstack(last), rtol=1e-12)


def test_bahdanaus_decoder_is_the_papers_formulas():
    layer, (x, source, h, c) = decoder(BahdanauDecoder), arrays()
    found, _, _ = layer.forward_from(LstmState(h, c), x, LENGTHS, layer.sources(source, SOURCE_LENGTHS))
    row = 0
    for s, seen in enumerate(np.split(source, np.cumsum(SOURCE_LENGTHS)[:-1])):
        states = h[[s]], c[[s]]
        for _ in range(LENGTHS[s]):
            scores = np.tanh(states[0] @ layer.query.value + seen @ layer.key.value) @ layer.score.value
            context = np.exp(scores) / np.exp(scores).sum() @ seen
            z = x[[row]] @ layer.lstm.weight.value + context @ layer.context.value + layer.lstm.bias.value
            states, _ = lstm_cell_forward(z + states[0] @ layer.lstm.recurrent.value, states[1])
            np.testing.assert_allclose(found[[row]], states[0], rtol=1e-10)
            row += 1


@pytest.mark.parametrize("kind", [LuongDecoder, BahdanauDecoder])
def test_what_a_row_sees_of_the_source_are_shares_of_1_and_do_not_know_the_rows_after_it(kind):
    layer, (x, source, h, c) = decoder(kind), arrays()
    state = LstmState(h[:1], c[:1])
    weights = layer.source_weights(state, x[:4], source)
    assert weights.shape == (4, 6)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(layer.source_weights(state, x[:2], source), weights[:2], rtol=1e-12)
