import numpy as np

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.pre_norm_layer import PreNormLayer
from tests.small_models import randomise

LENGTHS = np.array([4, 2, 5])


def made_layer():
    attention = SelfAttention(6, 3, 0.1, 0.1, causal=True)
    layer = PreNormLayer(attention, FeedForward(6, 5, "gelu_tanh", 0.1), 6, 1e-5)
    return randomise(layer.initialise(dtype=np.float64))


def rows(seed=5):
    return np.random.default_rng(seed).normal(size=(11, 6))


def test_with_silent_sub_layers_x_goes_through_unchanged():
    layer, x = made_layer(), rows()
    for projection in (layer.attention.output, layer.feed_forward.outer):
        projection.weight.value[...] = 0
        projection.bias.value[...] = 0
    np.testing.assert_array_equal(layer(x, LENGTHS), x)


def test_each_sub_layer_sees_normalised_rows():
    """Pre-LN: twice as large an x, far from 0, has nearly the same sub-layers' output, and is itself in the sum."""
    layer, x = made_layer(), 100 * rows()
    found, doubled = layer(x, LENGTHS) - x, layer(2 * x, LENGTHS) - 2 * x
    np.testing.assert_allclose(doubled, found, rtol=0.2, atol=0.3)
    assert np.abs(found).max() > 3


def test_a_row_sees_itself_and_what_is_before_it():
    layer, x = made_layer(), rows()
    changed = x.copy()
    changed[2] += 1  # the third row of the first sequence
    differs = (layer(x, LENGTHS) != layer(changed, LENGTHS)).any(axis=1)
    assert np.flatnonzero(differs).tolist() == [2, 3]


def test_row_by_row_equals_all_at_once():
    layer, x = made_layer(), rows()[:5]
    seen = KeyValues(1, 6, np.float64)
    steps = [layer(x[i : i + 1], np.array([1]), seen) for i in range(5)]
    np.testing.assert_allclose(np.concatenate(steps), layer(x, np.array([5])), rtol=1e-10)
