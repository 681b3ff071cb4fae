"""GELU: x times the probability that a standard normal number is below x.

    y = x Phi(x),   Phi(x) = (1 + erf(x / sqrt(2))) / 2                          the exact form
    y = x (1 + tanh(z)) / 2,   z = sqrt(2 / pi) (x + 0.044715 x^3)               the tanh form

Hendrycks, Gimpel 2016 (arXiv 1606.08415), section 2. BERT was published with the exact form, and its code went over to
the tanh form in 2019. The two differ by up to 4.7e-4 (at |x| = 2.70), so a model must run with the one that it was
trained with.

Back: both forms are y = x cdf(x), so dx = dy * slope with slope = cdf(x) + x cdf'(x), and cdf' is the density:

    Phi'(x) = phi(x) = exp(-x^2 / 2) / sqrt(2 pi)
    ((1 + tanh(z)) / 2)' = (1 - tanh(z)^2) / 2 * dz/dx,   dz/dx = sqrt(2 / pi) (1 + 3 * 0.044715 x^2)

The slope needs only what the forward has at hand, so it is computed there and kept.
"""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.ops.blocks import in_blocks
from minitransformer.ops.normal_cdf import normal_cdf, normal_density

_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
_CUBIC = 0.044715
_TANH_BLOCK = 2**17  # elements: the tanh form's steps are so cheap that it is memory that takes the time


class GeluCache(NamedTuple):
    slope: np.ndarray  # dy/dx, the shape of x


def gelu(x: np.ndarray) -> np.ndarray:
    """y = x Phi(x), any shape, for inference: without the slope."""
    return in_blocks(lambda x: x * normal_cdf(x), x)


def gelu_forward(x: np.ndarray) -> tuple[np.ndarray, GeluCache]:
    """y = x Phi(x), any shape, and the cache."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cdf = normal_cdf(x)
        return x * cdf, cdf + x * normal_density(x)

    y, slope = in_blocks(forward, x)
    return y, GeluCache(slope)


def gelu_backward(dy: np.ndarray, cache: GeluCache) -> np.ndarray:
    """Gradient of x for dy, the same shape, in both forms."""
    return dy * cache.slope


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """y = x (1 + tanh(z)) / 2, any shape, for inference: without the slope."""
    return in_blocks(lambda x: x * _tanh_cdf(x, x * x), x, block_elements=_TANH_BLOCK)


def gelu_tanh_forward(x: np.ndarray) -> tuple[np.ndarray, GeluCache]:
    """y = x (1 + tanh(z)) / 2, any shape, and the cache."""
    y, slope = in_blocks(_gelu_tanh_and_slope, x, block_elements=_TANH_BLOCK)
    return y, GeluCache(slope)


def _gelu_tanh_and_slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y and dy/dx, in few arrays: a training step takes several percent longer with the formulas as they stand.

    With cdf = (1 + tanh(z)) / 2, the factor 1 - tanh(z)^2 is 4 cdf (1 - cdf), so the slope is

        cdf + x cdf' = cdf + 2 y (1 - cdf) dz/dx
    """
    square = x * x
    cdf = _tanh_cdf(x, square)
    y = x * cdf
    slope = square
    slope *= 6 * _SQRT_2_OVER_PI * _CUBIC
    slope += 2 * _SQRT_2_OVER_PI  # 2 dz/dx
    slope *= y
    slope *= 1 - cdf
    slope += cdf
    return y, slope


def _tanh_cdf(x: np.ndarray, square: np.ndarray) -> np.ndarray:
    """(1 + tanh(z)) / 2, where square is x^2 and z = sqrt(2 / pi) (x + 0.044715 x^3)."""
    z = square * (_SQRT_2_OVER_PI * _CUBIC)
    z += _SQRT_2_OVER_PI
    z *= x
    cdf = np.tanh(z)
    cdf *= 0.5
    cdf += 0.5
    return cdf
