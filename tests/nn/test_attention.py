import numpy as np
import pytest

from minitransformer.nn.attention import MultiHeadSelfAttention
from tests.gradient_check import upstream
from tests.small_models import randomise

H, HEADS = 6, 3
LENGTHS = np.array([4, 2, 5])


@pytest.fixture
def layer():
    return randomise(MultiHeadSelfAttention(H, HEADS, 0.0, 0.0).initialise(dtype=np.float64))


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


def test_the_rows_of_a_sentence_in_another_order_give_the_same_rows_in_that_order(layer, x):
    """Attention alone knows no word order: that is what the position embedding is for."""
    order = np.array([2, 0, 3, 1, 5, 4, 10, 6, 9, 7, 8])  # within each of the three sentences
    np.testing.assert_allclose(layer(x[order], LENGTHS), layer(x, LENGTHS)[order], rtol=1e-12)


def test_a_changed_row_changes_all_rows_of_its_sentence_and_none_of_the_others(layer, x):
    y = layer(x, LENGTHS)
    x[5] += 1
    changed = (layer(x, LENGTHS) != y).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(changed), [4, 5])
