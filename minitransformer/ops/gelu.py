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
    return in_blocks(lambda x: 0.5 * x * (1 + np.tanh(_z(x))), x)


def gelu_tanh_forward(x: np.ndarray) -> tuple[np.ndarray, GeluCache]:
    """y = x (1 + tanh(z)) / 2, any shape, and the cache."""

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tanh = np.tanh(_z(x))
        dz_dx = _SQRT_2_OVER_PI * (1 + 3 * _CUBIC * x * x)
        cdf, density = 0.5 * (1 + tanh), 0.5 * (1 - tanh * tanh) * dz_dx
        return x * cdf, cdf + x * density

    y, slope = in_blocks(forward, x)
    return y, GeluCache(slope)


def _z(x: np.ndarray) -> np.ndarray:
    """sqrt(2 / pi) (x + 0.044715 x^3)."""
    return _SQRT_2_OVER_PI * x * (1 + _CUBIC * x * x)
