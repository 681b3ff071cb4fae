"""How a case of the reference numbers is made: of an operation or a layer, at random inputs of two decimals."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitransformer.randomness import generator

LENGTHS = np.array([3, 2])  # two sequences, where an operation knows about sequences
SIZE = 4  # H of the layers

Case = dict[str, Any]


def case(formula: str, forward: Callable, backward: Callable, **shapes: tuple[int, ...]) -> Case:
    """The operation at random inputs of these shapes, with a random upstream gradient."""
    rng = generator(0, formula)
    inputs = {name: drawn(rng, shape) for name, shape in shapes.items()}
    y, cache = forward(*inputs.values())
    upstream = drawn(rng, y.shape)
    gradients = backward(upstream, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    return {
        "formula": formula,
        "inputs": inputs,
        "outputs": {"y": y},
        "upstream": upstream,
        "gradients": dict(zip(inputs, gradients, strict=True)),
    }


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape).round(2)


def layer_case(formula: str, layer: Any) -> Case:
    """A layer with random parameters, for two sequences."""
    rng = generator(0, formula)
    layer.initialise(dtype=np.float64)
    for _, parameter in layer.named_parameters():
        parameter.value[...] = drawn(rng, parameter.shape)
    x = drawn(rng, (5, SIZE))
    y, cache = layer.forward(x, LENGTHS)
    upstream = drawn(rng, y.shape)
    layer.zero_grad()
    dx = layer.backward(upstream, cache)
    parameters = dict(layer.named_parameters())
    return {
        "formula": formula,
        "inputs": {"x": x, **{name: parameter.value for name, parameter in parameters.items()}},
        "outputs": {"y": y},
        "upstream": upstream,
        "gradients": {"x": dx, **{name: parameter.grad for name, parameter in parameters.items()}},
    }
