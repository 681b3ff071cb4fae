"""Activation functions that other libraries offer, element by element: y = f(x), and back dx = dy * f'(x).

With s = sigmoid(x) = 1 / (1 + exp(-x)) and s' = s (1 - s):

    name           y                             dy/dx
    sigmoid        s                             s (1 - s)
    silu           x s                           s + y (1 - s)
    softplus       log(1 + exp(x))               s
    log_sigmoid    log(s)                        1 - s
    mish           x t,  t = tanh(softplus(x))   t + x (1 - t^2) s
    tanhshrink     x - tanh(x)                   tanh(x)^2
    softsign       x / (1 + |x|)                 1 / (1 + |x|)^2
    leaky_relu     x, or 0.01 x below 0          1, or 0.01
    elu            x, or exp(x) - 1 below 0      1, or exp(x)
    selu           1.05 x, or 1.76 (exp(x) - 1)  1.05, or 1.76 exp(x)
    relu6          x within 0 and 6              1 within, 0 outside
    hardtanh       x within -1 and 1             1 within, 0 outside
    hardsigmoid    x / 6 + 1/2 within 0 and 1    1/6 within, 0 outside
    hardswish      x hardsigmoid(x)              hardsigmoid(x) + x hardsigmoid'(x)

SELU's two constants are those of Klambauer et al. 2017 (arXiv 1706.02515), with which mean 0 and variance 1 stay so.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

_LEAK = 0.01
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


class ElementwiseCache(NamedTuple):
    slope: np.ndarray  # f'(x)


Function = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # y and its slope


def elementwise_forward(x: np.ndarray, name: str) -> tuple[np.ndarray, ElementwiseCache]:
    """y = f(x), any shape, for the function of this name, and the cache."""
    y, slope = FUNCTIONS[name](x)
    return y, ElementwiseCache(slope)


def elementwise_backward(dy: np.ndarray, cache: ElementwiseCache) -> np.ndarray:
    """Gradient of x for dy, the same shape."""
    return dy * cache.slope


def _sigmoid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s = expit(x)
    return s, s * (1 - s)


def _silu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s = expit(x)
    y = x * s
    return y, s + y * (1 - s)


def _mish(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = np.tanh(np.logaddexp(0, x))
    return x * t, t + x * (1 - t * t) * expit(x)


def _elu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exp_below = np.exp(np.minimum(x, 0))  # 1 above 0, which is the slope there
    return np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), exp_below


def _selu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    below = _SELU_ALPHA * np.expm1(np.minimum(x, 0))
    slope = np.where(x > 0, 1.0, _SELU_ALPHA * np.exp(np.minimum(x, 0)))
    return _SELU_SCALE * (np.maximum(x, 0) + below), (_SELU_SCALE * slope).astype(x.dtype)


def _within(x: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    return np.clip(x, low, high), ((x > low) & (x < high)).astype(x.dtype)


def _hardsigmoid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, slope = _within(x / 6 + 0.5, 0, 1)
    return y, slope / 6


def _hardswish(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gate, slope = _hardsigmoid(x)
    return x * gate, gate + x * slope


FUNCTIONS: dict[str, Function] = {
    "sigmoid": _sigmoid,
    "silu": _silu,
    "softplus": lambda x: (np.logaddexp(0, x), expit(x)),
    "log_sigmoid": lambda x: (-np.logaddexp(0, -x), expit(-x)),
    "mish": _mish,
    "tanhshrink": lambda x: (x - np.tanh(x), np.tanh(x) ** 2),
    "softsign": lambda x: (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2),
    "leaky_relu": lambda x: (np.where(x > 0, x, _LEAK * x), np.where(x > 0, 1.0, _LEAK).astype(x.dtype)),
    "elu": _elu,
    "selu": _selu,
    "relu6": lambda x: _within(x, 0, 6),
    "hardtanh": lambda x: _within(x, -1, 1),
    "hardsigmoid": _hardsigmoid,
    "hardswish": _hardswish,
}
