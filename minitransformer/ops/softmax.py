"""Softmax: scores to probabilities, along the last axis.

    y_j = exp(x_j) / sum_k exp(x_k)

The row's maximum is subtracted first. That changes nothing, since it divides the numerator and the denominator by the
same number, and keeps exp within range: exp(588) is 2e255 in float64 and infinite in float32.

Back: dy_j/dx_k = y_j (1[j = k] - y_k), so

    dx_k = sum_j dy_j y_j (1[j = k] - y_k) = y_k (dy_k - sum_j dy_j y_j)

A constant added to a row of dy changes nothing: the row of y adds up to 1 whatever x is.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sums import row_sums


class SoftmaxCache(NamedTuple):
    y: np.ndarray


def softmax_forward(x: np.ndarray) -> tuple[np.ndarray, SoftmaxCache]:
    """Probabilities along the last axis of x, any shape, and the cache."""
    exps = np.exp(x - x.max(axis=-1, keepdims=True))
    y = exps / row_sums(exps)
    return y, SoftmaxCache(y)


def softmax_backward(dy: np.ndarray, cache: SoftmaxCache) -> np.ndarray:
    """Gradient of x for dy, the same shape."""
    y = cache.y
    return y * (dy - row_sums(dy * y))
