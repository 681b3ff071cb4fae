"""ReLU: what is positive passes, the rest becomes 0.

    y = max(x, 0)

Back: dx = dy where x was positive, else 0 (at x = 0 any slope between 0 and 1 is valid; 0 is the custom).
"""

from typing import NamedTuple

import numpy as np


class ReluCache(NamedTuple):
    y: np.ndarray


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, ReluCache]:
    """y = max(x, 0), any shape, and the cache."""
    y = np.maximum(x, 0)
    return y, ReluCache(y)


def relu_backward(dy: np.ndarray, cache: ReluCache) -> np.ndarray:
    """Gradient of x for dy, the same shape."""
    return dy * (cache.y > 0)
