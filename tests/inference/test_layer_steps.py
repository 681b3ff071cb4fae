import numpy as np
import pytest

from minitransformer.inference.layer_steps import cosine_gradient, layer_steps, loss_gradient
from minitransformer.models.bert import Bert
from tests.small_encoders import small_encoder
from tests.small_models import random_tokens, randomise, small_config, small_gpt


def small_bert():
    return randomise(Bert(small_config(), dtype=np.float64))


@pytest.mark.parametrize("make", [small_bert, small_gpt])
def test_the_last_step_is_the_layers_output_and_the_gradient_of_the_first_its_backwards(make):
    layer, lengths = make().layers[1], np.array([5])
    x, dy = np.random.default_rng(3).normal(size=(2, 5, 12))
    y, cache = layer.forward(x, lengths)
    dx = layer.backward(dy, cache)
    steps = layer_steps(layer, x, dy)
    assert (steps[0].name, steps[-1].name.split()[0]) == ("x", "y")
    np.testing.assert_allclose(steps[-1].value, y, rtol=1e-12)
    np.testing.assert_allclose(steps[0].gradient, dx, rtol=1e-9)
    for step in steps:
        assert step.gradient.shape == step.value.shape


@pytest.mark.parametrize("make", [small_bert, small_gpt])
def test_without_a_gradient_of_y_there_are_none(make):
    steps = layer_steps(make().layers[0], np.ones((3, 12)))
    assert {step.gradient for step in steps} == {None}


def test_a_gpts_gradient_is_what_its_backward_brings_to_the_layer():
    """With the loss' gradient at layer 0's y, the layer's own backward gives its parameters the model's gradients."""
    model = small_gpt()
    tokens = random_tokens(model.config, lengths=(5,))
    _, cache = model.forward(tokens)
    model.zero_grad()
    model.backward(cache)
    expected = model.layers[0].attention.query.weight.grad.copy()
    dy = loss_gradient(model, tokens, 0)
    model.zero_grad()
    layer_steps(model.layers[0], model.embedded(tokens), dy)
    np.testing.assert_allclose(model.layers[0].attention.query.weight.grad, expected, rtol=1e-9)


def test_an_encoders_gradient_is_the_slope_of_the_cosine():
    """Moving layer 0's x against central differences of the cosine, with the layers above it."""
    encoder = small_encoder(np.float64)
    tokens, other = encoder.tokenizer("my dog"), encoder.tokenizer("he likes playing")
    x, v = encoder.encoder.embedded(tokens), encoder(other)

    def cosine(x):
        u = encoder.head(encoder.pooling(encoder.encoder.layers(x, tokens.lengths), tokens.lengths))
        return (u @ v.T).item() / np.linalg.norm(u) / np.linalg.norm(v)

    dx = layer_steps(encoder.encoder.layers[0], x, cosine_gradient(encoder, tokens, other, 0))[0].gradient
    steepest = dx / np.linalg.norm(dx)
    slope = (cosine(x + 1e-5 * steepest) - cosine(x - 1e-5 * steepest)) / 2e-5
    assert np.linalg.norm(dx) == pytest.approx(slope, rel=1e-5)
