"""ReLU: what is positive passes, the rest becomes 0.

    y = max(x, 0)

Back: dx = dy where x was positive, else 0 (at x = 0 any slope between 0 and 1 is valid; 0 is the custom).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ReluCache(NamedTuple):
    y: np.ndarray


def relu(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = max(x, 0), any shape: the forward alone, for inference. Written to `out`, which may be x, if given."""
    return np.maximum(x, 0, out=out)


def relu_forward(x: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, ReluCache]:
    """y = max(x, 0), any shape, and the cache. y is written to `out`, which may be x, if given."""
    y = relu(x, out)
    return y, ReluCache(y)


def relu_backward(dy: np.ndarray, cache: ReluCache, out: np.ndarray | None = None) -> np.ndarray:
    """Gradient of x for dy, the same shape. Written to `out`, which may be dy, if given."""
    return np.multiply(dy, cache.y > 0, out=out)
