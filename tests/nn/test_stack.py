import numpy as np
import pytest

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.module import Module
from minitransformer.nn.stack import Stack
from minitransformer.randomness import generator
from tests.gradient_check import upstream
from tests.small_models import randomise

H, LENGTHS = 6, np.array([2, 4])


class Model(Module):
    def __init__(self):
        layers = [EncoderLayer(SelfAttention(H, 3, 0.2, 0.2), FeedForward(H, 5, "gelu", 0.2), H, 1e-12) for _ in "abc"]
        self.layers = Stack(layers)


@pytest.fixture
def model():
    return randomise(Model().initialise(dtype=np.float64))


@pytest.fixture
def x():
    return np.random.default_rng(5).normal(size=(6, H))


def test_a_layers_parameters_are_named_by_its_number(model):
    assert next(model.named_parameters())[0] == "layers.0.attention.query.weight"
    assert len(model.layers) == 3
    assert [*model.layers][1] is model.layers[1]


def test_frozen_layers_at_the_bottom_have_neither_dropout_nor_a_backward(model, x):
    model.freeze(model.layers[0], model.layers[1])
    y, cache = model.layers.forward(x, LENGTHS, generator(1, "dropout"), x_is_frozen=True)
    below = model.layers[1](model.layers[0](x, LENGTHS), LENGTHS)
    expected, expected_cache = model.layers[2].forward(below, LENGTHS, generator(1, "dropout"))
    np.testing.assert_array_equal(y, expected)
    assert model.layers.backward(upstream(y), cache) is None
    found = model.storage.gradients.copy()
    model.zero_grad()
    model.layers[2].backward(upstream(y), expected_cache)
    np.testing.assert_array_equal(found, model.storage.gradients)
    assert found.any()


def test_a_frozen_layer_over_a_trained_one_passes_the_gradient_on(model, x):
    y, cache = model.layers.forward(x, LENGTHS)
    expected = model.layers.backward(upstream(y), cache)
    model.freeze(model.layers[1])
    y, cache = model.layers.forward(x, LENGTHS, x_is_frozen=True)
    np.testing.assert_allclose(model.layers.backward(upstream(y), cache), expected, rtol=1e-12)
