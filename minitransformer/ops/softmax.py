"""Softmax: scores to probabilities, along the last axis.

    y_j = exp(x_j) / sum_k exp(x_k)

The row's maximum is taken away first. That changes nothing, since it divides the numerator and the denominator by the
same number, and keeps exp within range: exp(588) is 2e255 in float64 and infinite in float32. Where all of x lies
within +-60, exp can neither overflow nor vanish (exp(+-60) = 1e+-26), and the step, which costs as much as all the
others together, is left out.

Back: dy_j/dx_k = y_j (1[j = k] - y_k), so

    dx_k = sum_j dy_j y_j (1[j = k] - y_k) = y_k (dy_k - sum_j dy_j y_j)

A constant added to a row of dy changes nothing: the row of y adds up to 1 whatever x is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.ops.rows import row_sums

_SAFE = 60.0


class SoftmaxCache(NamedTuple):
    y: np.ndarray


def softmax_forward(x: np.ndarray) -> tuple[np.ndarray, SoftmaxCache]:
    """Probabilities along the last axis of x, any shape, and the cache."""
    if x.size and x.min() > -_SAFE and x.max() < _SAFE:
        y = np.exp(x)
    else:
        y = x - x.max(axis=-1, keepdims=True)
        np.exp(y, out=y)
    y *= 1 / row_sums(y)
    return y, SoftmaxCache(y)


def softmax_backward(dy: np.ndarray, cache: SoftmaxCache) -> np.ndarray:
    """Gradient of x for dy, the same shape."""
    y = cache.y
    return y * (dy - row_sums(dy * y))
