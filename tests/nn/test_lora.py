import numpy as np
import pytest

from minitransformer.nn.dense import Dense
from minitransformer.nn.linear import Linear
from minitransformer.nn.lora import LoraDense, LoraLinear
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.ops.linear import linear_forward
from minitransformer.ops.tanh import tanh_forward
from minitransformer.randomness import generator
from tests.small_models import randomise

X = np.random.default_rng(2).normal(size=(5, 4))


def with_lora(linear, lora_dropout=0.0, scale=0.5):
    """A layer of 4 inputs and 3 outputs, whose four arrays are random."""
    kind = LoraDense if isinstance(linear, Dense) else LoraLinear
    layer = kind(linear, Parameter((4, 2), zeros), Parameter((2, 3), zeros), scale, lora_dropout)
    return randomise(layer.initialise(0, np.float64))


def merged(layer):
    return layer.weight.value + layer.scale * layer.lora_a.value @ layer.lora_b.value


def test_it_computes_what_a_linear_layer_with_the_sum_of_both_matrices_computes():
    layer = with_lora(Linear(4, 3))
    expected, _ = linear_forward(X, merged(layer), layer.bias.value)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-12)


def test_the_update_of_a_dense_layer_goes_through_its_activation():
    layer = with_lora(Dense(4, 3, "tanh"))
    z, _ = linear_forward(X, merged(layer), layer.bias.value)
    np.testing.assert_allclose(layer(X), tanh_forward(z)[0], rtol=1e-12)
    np.testing.assert_allclose(layer.forward(X)[0], layer(X), rtol=1e-12)


def test_it_takes_over_the_arrays_of_the_layer_that_it_is_made_from():
    linear = Linear(4, 3)
    layer = with_lora(linear)
    assert layer.weight is linear.weight
    assert layer.bias is linear.bias
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias", "lora_a", "lora_b"]


@pytest.mark.parametrize("make", [lambda: Linear(4, 3), lambda: Dense(4, 3, "identity")])
def test_dropout_falls_on_what_goes_into_the_update_and_not_into_the_weight(make):
    """With a rate near 1 nothing of x gets to A, and all of it to W."""
    layer = with_lora(make(), lora_dropout=1 - 2**-16)
    y, _ = layer.forward(X, generator(1, "dropout"))
    expected, _ = linear_forward(X, layer.weight.value, layer.bias.value)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert (layer.forward(X)[0] != expected).all()
