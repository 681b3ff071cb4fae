import numpy as np

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from tests.small_models import randomise

LENGTHS = np.array([4, 2, 5])


def made_layer():
    attention = SelfAttention(6, 3, 0.1, 0.1)
    layer = EncoderLayer(attention, FeedForward(6, 5, "gelu", 0.1), 6, 1e-12)
    return randomise(layer.initialise(dtype=np.float64))


def test_layer_norm_stands_after_each_sum():
    """Post-LN: with gamma = 1 and beta = 0 every row that comes out has mean 0 and variance 1."""
    layer, x = made_layer(), np.random.default_rng(5).normal(size=(11, 6))
    layer.output_norm.gamma.value[...] = 1
    layer.output_norm.beta.value[...] = 0
    y = layer(x, LENGTHS)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-10)


def test_with_silent_sub_layers_only_the_two_norms_of_x_remain():
    layer, x = made_layer(), np.random.default_rng(5).normal(size=(11, 6))
    for projection in (layer.attention.output, layer.feed_forward.outer):
        projection.weight.value[...] = 0
        projection.bias.value[...] = 0
    np.testing.assert_allclose(layer(x, LENGTHS), layer.output_norm(layer.attention_norm(x)), rtol=1e-12)
