"""The hyperbolic tangent, element by element.

    y = tanh(x)

Back: tanh' = 1 - tanh^2, so the output alone is enough:

    dx = dy * (1 - y^2)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class TanhCache(NamedTuple):
    y: np.ndarray


def tanh_forward(x: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, TanhCache]:
    """y = tanh(x), any shape, and the cache. y is written to `out`, which may be x, if given."""
    y = np.tanh(x, out=out)
    return y, TanhCache(y)


def tanh_backward(dy: np.ndarray, cache: TanhCache, out: np.ndarray | None = None) -> np.ndarray:
    """Gradient of x for dy, the same shape. Written to `out`, which may be dy, if given."""
    return np.multiply(dy, 1 - cache.y * cache.y, out=out)
