"""The squared error: how far a number is from what it should be.

    loss = (x - t)^2

element by element; the caller takes the mean.

Back: dx = dloss 2 (x - t).
"""

from typing import NamedTuple

import numpy as np


class SquaredErrorCache(NamedTuple):
    difference: np.ndarray  # x - t


def squared_error_forward(x: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, SquaredErrorCache]:
    """Losses, element by element, of x against targets of the same shape, and the cache."""
    difference = x - targets
    return difference * difference, SquaredErrorCache(difference)


def squared_error_backward(dlosses: np.ndarray, cache: SquaredErrorCache) -> np.ndarray:
    """Gradient of x for dlosses, the same shape."""
    return dlosses * 2 * cache.difference
