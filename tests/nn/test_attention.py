import numpy as np
import pytest

from minitransformer.nn.attention import CrossAttention, SelfAttention
from tests.gradient_check import assert_operation_gradients, upstream
from tests.small_models import randomise

H, HEADS = 6, 3
LENGTHS = np.array([4, 2, 5])


@pytest.fixture
def layer():
    return randomise(SelfAttention(H, HEADS, 0.0, 0.0).initialise(dtype=np.float64))


@pytest.fixture
def x():
    return np.random.default_rng(5).normal(size=(11, H))


def test_the_gradient_of_the_key_bias_is_0(layer, x):
    """It adds q . b to all scores of a query alike, and softmax takes no notice of that."""
    y, cache = layer.forward(x, LENGTHS)
    layer.backward(upstream(y), cache)
    np.testing.assert_allclose(layer.key.bias.grad, 0, atol=1e-14)
    assert (np.abs(layer.query.bias.grad) > 1e-3).all()


def test_the_order_of_the_heads_does_not_matter(layer, x):
    """Their columns of W^Q, W^K, W^V and the same rows of W^O, moved together."""
    expected = layer(x, LENGTHS)
    moved = np.arange(H).reshape(HEADS, -1)[[2, 0, 1]].reshape(-1)
    for projection in (layer.query, layer.key, layer.value):
        projection.weight.value[...] = projection.weight.value[:, moved]
        projection.bias.value[...] = projection.bias.value[moved]
    layer.output.weight.value[...] = layer.output.weight.value[moved]
    np.testing.assert_allclose(layer(x, LENGTHS), expected, rtol=1e-12)


def test_the_rows_of_a_sequence_in_another_order_give_the_same_rows_in_that_order(layer, x):
    """Attention alone knows no word order: that is what the position embedding is for."""
    order = np.array([2, 0, 3, 1, 5, 4, 10, 6, 9, 7, 8])  # within each of the three sequences
    np.testing.assert_allclose(layer(x[order], LENGTHS), layer(x, LENGTHS)[order], rtol=1e-12)


def test_a_changed_row_changes_all_rows_of_its_sequence_and_none_of_the_others(layer, x):
    y = layer(x, LENGTHS)
    x[5] += 1
    changed = (layer(x, LENGTHS) != y).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(changed), [4, 5])


def test_a_causal_row_changes_itself_and_what_comes_after_it(x):
    layer = randomise(SelfAttention(H, HEADS, 0.0, 0.0, causal=True).initialise(dtype=np.float64))
    y = layer(x, LENGTHS)
    x[7] += 1  # row 1 of the sequence that has the rows 6 to 10
    changed = (layer(x, LENGTHS) != y).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(changed), [7, 8, 9, 10])


def test_the_gradients_of_x_and_of_the_source_equal_central_differences(x):
    layer = randomise(CrossAttention(H, HEADS, 0.0, 0.0).initialise(dtype=np.float64))
    source, source_lengths = np.random.default_rng(6).normal(size=(9, H)), np.array([3, 5, 1])

    def forward(x, source):
        return layer.forward(x, LENGTHS, source, source_lengths)

    assert_operation_gradients(forward, layer.backward, x, source)


def test_self_attention_is_cross_attention_over_itself(layer, x):
    y, cache = layer.forward(x, LENGTHS)
    cross = CrossAttention.forward(layer, x, LENGTHS, x, LENGTHS)
    np.testing.assert_array_equal(y, cross[0])
    dx, d_source = CrossAttention.backward(layer, upstream(y), cross[1])
    np.testing.assert_array_equal(layer.backward(upstream(y), cache), dx + d_source)
