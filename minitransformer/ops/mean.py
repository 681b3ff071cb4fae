"""The mean over a batch, of which a worker may hold a part.

    y = sum_i x_i / count

count is how many x there are, in the whole step where it is cut into shards: their results then add up to the mean.

Back: dx_i = dy / count.
"""

from typing import NamedTuple

import numpy as np


class MeanCache(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype
    divisor: int


def mean_forward(x: np.ndarray, count: int | None = None) -> tuple[np.ndarray, MeanCache]:
    """y () of x, any shape, and the cache. count defaults to the number of elements of x. Without any, y is 0."""
    cache = MeanCache(x.shape, x.dtype, max(1, x.size if count is None else count))
    return (x / cache.divisor).sum(), cache


def mean_backward(dy: np.ndarray | float, cache: MeanCache) -> np.ndarray:
    """Gradient of x, any shape, for dy ()."""
    shape, dtype, divisor = cache
    return np.full(shape, dy / divisor, dtype)
