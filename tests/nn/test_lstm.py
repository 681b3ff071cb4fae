import numpy as np
import pytest

from minitransformer.nn.lstm import BidirectionalLstm, Lstm, LstmState
from tests.gradient_check import assert_operation_gradients
from tests.small_models import randomise

IN, H = 4, 3
LENGTHS = np.array([2, 4, 1])


@pytest.fixture
def x():
    return np.random.default_rng(5).normal(size=(7, IN))


def changed_rows(layer, x, row):
    other = x.copy()
    other[row] += 1
    return np.flatnonzero((layer(x, LENGTHS) != layer(other, LENGTHS)).any(axis=1)).tolist()


def test_a_row_knows_itself_and_what_is_before_it(x):
    assert changed_rows(randomise(Lstm(IN, H).initialise(dtype=np.float64)), x, 3) == [3, 4, 5]


def test_in_both_directions_a_row_knows_its_whole_sequence(x):
    layer = randomise(BidirectionalLstm(IN, H).initialise(dtype=np.float64))
    assert changed_rows(layer, x, 3) == [2, 3, 4, 5]


def test_read_backwards_the_halves_change_places(x):
    layer = randomise(BidirectionalLstm(IN, H).initialise(dtype=np.float64))
    y = layer(x, LENGTHS)
    for ours, theirs in zip(layer.forwards.named_parameters(), layer.backwards.named_parameters(), strict=True):
        ours[1].value[...], theirs[1].value[...] = theirs[1].value.copy(), ours[1].value.copy()
    mirrored = [1, 0, 5, 4, 3, 2, 6]
    np.testing.assert_allclose(layer(x[mirrored], LENGTHS)[mirrored], np.roll(y, H, axis=1), rtol=1e-12)


def test_in_two_parts_from_state_to_state_equals_all_at_once(x):
    layer = randomise(Lstm(IN, H).initialise(dtype=np.float64))
    expected = layer(x[:6], np.array([3, 3]))
    first, state, _ = layer.forward_from(layer.start(2), x[[0, 3]], np.array([1, 1]))
    rest, _, _ = layer.forward_from(state, x[[1, 2, 4, 5]], np.array([2, 2]))
    np.testing.assert_allclose(first, expected[[0, 3]], rtol=1e-12)
    np.testing.assert_allclose(rest, expected[[1, 2, 4, 5]], rtol=1e-12)


def test_the_gradients_of_the_states_equal_central_differences(x):
    """A decoder's first state is an encoder's last: both have gradients."""
    layer = randomise(Lstm(IN, H).initialise(dtype=np.float64))
    rng = np.random.default_rng(8)

    def forward(x, h, c):
        y, state, cache = layer.forward_from(LstmState(h, c), x, LENGTHS)
        return np.vstack([y, *state]), cache

    def backward(dy, cache):
        dx, state = layer.backward_to(dy[:7], LstmState(dy[7:10], dy[10:]), cache)
        return dx, *state

    assert_operation_gradients(forward, backward, x, rng.normal(size=(3, H)), rng.normal(size=(3, H)))


def test_at_first_a_cell_keeps_what_it_has():
    bias = Lstm(IN, H).initialise().bias.value
    assert bias.tolist() == [0] * H + [1] * H + [0] * 2 * H
