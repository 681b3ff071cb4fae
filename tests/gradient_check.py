"""Central differences: what every hand-derived gradient is held against.

A backward is checked on the number L = sum(y * dy) with a random dy, since dL/dx is then what it should return:

    dL/dx_i  is about  (L(x + h e_i) - L(x - h e_i)) / 2h

Everything is float64. With h = 1e-5 the curvature's part of the error (h^2 times a third derivative) and rounding's
(about 1e-16 / h) both stay near 1e-10. Draw x and the parameters at random: at its initial value (gamma = 1, bias = 0)
a wrong gradient can look right.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitransformer.nn.module import Module

STEP = 1e-5
TOLERANCE = 1e-6  # of the relative error
FLOOR = 1e-3  # smaller gradients are compared as if they were so large: an error of 1e-9 is rounding, whatever it is of

Forward = Callable[..., tuple[np.ndarray, Any]]


def assert_operation_gradients(forward: Forward, backward: Callable, *arguments: np.ndarray) -> None:
    """forward(*arguments) gives (y, cache), backward(dy, cache) a gradient for each argument, in their order."""
    y, cache = forward(*arguments)
    dy = upstream(y)
    gradients = backward(dy, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    for i, (argument, gradient) in enumerate(zip(arguments, gradients, strict=True)):
        assert_gradient(gradient, lambda: forward(*arguments)[0], argument, dy, f"argument {i}")


def assert_module_gradients(module: Module, forward: Forward, *arguments: np.ndarray) -> None:
    """Check dx = module.backward(dy, cache), for x the first of the arguments, and every trained parameter's gradient.

    forward(*arguments) is module.forward with what else it needs. Integer arguments have no gradient.
    """
    y, cache = forward(*arguments)
    dy = upstream(y)
    module.zero_grad()
    dx = module.backward(dy, cache)
    for name, parameter in module.named_parameters():
        if parameter.trained:
            assert_gradient(parameter.grad, lambda: forward(*arguments)[0], parameter.value, dy, name)
    if arguments[0].dtype == np.float64:
        assert_gradient(dx, lambda: forward(*arguments)[0], arguments[0], dy, "x")


def assert_parameter_gradients(module: Module, loss: Callable[[], float]) -> None:
    """Check the gradient that each parameter holds along a random direction: two losses for a whole array."""
    rng = np.random.default_rng(11)
    for name, parameter in module.named_parameters():
        if not parameter.trained:
            continue
        direction = rng.normal(size=parameter.shape)
        slopes = []
        for sign in (1, -1):
            parameter.value[...] += sign * STEP * direction
            slopes.append(sign * loss() / (2 * STEP))
            parameter.value[...] -= sign * STEP * direction
        assert_close(np.sum(parameter.grad * direction), sum(slopes), f"{name}, along a random direction")


def assert_gradient(
    found: np.ndarray, function: Callable[[], np.ndarray], x: np.ndarray, dy: np.ndarray, name: str
) -> None:
    """Compare a gradient of x with the central differences of sum(function() * dy), where function reads x."""
    assert found.shape == x.shape, f"the gradient of {name} {x.shape} has the shape {found.shape}"
    assert_close(found, numerical_gradient(function, x, dy), name)


def numerical_gradient(function: Callable[[], np.ndarray], x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """dL/dx of L = sum(function() * dy), element by element; x is changed in place and put back."""
    assert x.dtype == np.float64, "central differences need float64"
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        value = x[i]
        x[i] = value + STEP
        above = function()
        x[i] = value - STEP
        below = function()
        x[i] = value
        gradient[i] = ((above - below) * dy).sum() / (2 * STEP)
    return gradient


def assert_close(found: np.ndarray, expected: np.ndarray, name: str) -> None:
    error = relative_error(found, expected)
    worst = np.unravel_index(error.argmax(), error.shape)
    assert error.max() < TOLERANCE, (
        f"gradient of {name}: at {tuple(map(int, worst))} found {np.asarray(found)[worst]:.9g}, "
        f"central differences give {np.asarray(expected)[worst]:.9g} (relative error {error.max():.1e})"
    )


def relative_error(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    size = np.maximum(np.abs(found), np.abs(expected))
    return np.asarray(np.abs(found - expected) / np.maximum(size, FLOOR))


def upstream(y: np.ndarray) -> np.ndarray:
    """A random gradient of y. (With ones, a softmax or a LayerNorm would have the gradient 0, and prove nothing.)"""
    return np.random.default_rng(7).normal(size=y.shape).astype(y.dtype)
