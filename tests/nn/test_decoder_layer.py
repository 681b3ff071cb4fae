import numpy as np
import pytest

from minitransformer.nn.attention import CrossAttention, SelfAttention
from minitransformer.nn.decoder_layer import DecoderLayer, SeenWithSource
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.key_values import KeyValues
from tests.gradient_check import assert_operation_gradients
from tests.small_models import randomise

H, HEADS = 6, 3
LENGTHS, SOURCE_LENGTHS = np.array([4, 2, 5]), np.array([3, 1, 6])


@pytest.fixture
def layer():
    self_attention = SelfAttention(H, HEADS, 0.1, 0.1, causal=True)
    layer = DecoderLayer(self_attention, CrossAttention(H, HEADS, 0.1, 0.1), FeedForward(H, 5, "relu", 0.1), H, 1e-5)
    return randomise(layer.initialise(dtype=np.float64))


@pytest.fixture
def x():
    return np.random.default_rng(5).normal(size=(11, H))


@pytest.fixture
def source():
    return np.random.default_rng(6).normal(size=(10, H))


def changed_rows(layer, x, source, other_x, other_source):
    first, _ = layer.forward(x, LENGTHS, source, SOURCE_LENGTHS)
    second, _ = layer.forward(other_x, LENGTHS, other_source, SOURCE_LENGTHS)
    return np.flatnonzero((first != second).any(axis=1)).tolist()


def test_a_row_sees_itself_and_what_is_before_it_in_its_own_sequence(layer, x, source):
    other = x.copy()
    other[2] += np.arange(H)  # the third row of the first sequence
    assert changed_rows(layer, x, source, other, source) == [2, 3]


def test_every_row_sees_the_whole_source_of_its_sequence(layer, x, source):
    other = source.copy()
    other[9] += 1  # the last row of the third source
    assert changed_rows(layer, x, source, x, other) == [6, 7, 8, 9, 10]


def test_the_gradients_of_x_and_of_the_source_equal_central_differences(layer, x, source):
    def forward(x, source):
        return layer.forward(x, LENGTHS, source, SOURCE_LENGTHS)

    assert_operation_gradients(forward, layer.backward, x, source)


def test_every_row_of_the_result_is_normalised(layer, x, source):
    """Post-LN: the last thing that happens is the norm, here with its own gamma and beta."""
    layer.output_norm.gamma.value[...], layer.output_norm.beta.value[...] = 1, 0
    y, _ = layer.forward(x, LENGTHS, source, SOURCE_LENGTHS)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=1), 1, rtol=1e-3)


def test_row_by_row_equals_all_at_once(layer, x, source):
    expected, _ = layer.forward(x[:4], LENGTHS[:1], source[:3], SOURCE_LENGTHS[:1])
    of_source = layer.cross_attention.key_values(source[:3], SOURCE_LENGTHS[:1])
    seen = SeenWithSource(KeyValues(1, H, np.float64), of_source)
    steps = [layer(x[i : i + 1], np.array([1]), seen) for i in range(4)]
    np.testing.assert_allclose(np.concatenate(steps), expected, rtol=1e-10)
    assert seen.lengths.tolist() == [4]
    assert seen.source.lengths.tolist() == [3]


def test_selected_sequences_take_their_sources_with_them(layer, x, source):
    of_source = layer.cross_attention.key_values(source, SOURCE_LENGTHS)
    seen = SeenWithSource(KeyValues(3, H, np.float64), of_source)
    layer(x, LENGTHS, seen)
    new = np.random.default_rng(8).normal(size=(2, H))
    y = layer(new, np.array([1, 1]), seen.select(np.array([2, 0])))
    for row, rows, source_rows in ((0, slice(6, 11), slice(4, 10)), (1, slice(0, 4), slice(0, 3))):
        whole = np.concatenate([x[rows], new[row : row + 1]])
        lengths, source_lengths = np.array([len(whole)]), np.array([source_rows.stop - source_rows.start])
        alone, _ = layer.forward(whole, lengths, source[source_rows], source_lengths)
        np.testing.assert_allclose(y[row], alone[-1], rtol=1e-10)
