"""GELU: x times the probability that a standard normal number is below x.

    y = x Phi(x),   Phi(x) = (1 + erf(x / sqrt(2))) / 2                          the exact form
    y = x (1 + tanh(z)) / 2,   z = sqrt(2 / pi) (x + 0.044715 x^3)               the tanh form

Hendrycks, Gimpel 2016 (arXiv 1606.08415), section 2. BERT was published with the exact form, and its code went over to
the tanh form in 2019. The two differ by up to 4.7e-4 (at |x| = 2.70), so a model must run with the one that it was
trained with.

Back: dx = dy * slope, and the slope needs only what the forward has at hand, so it is computed there:

    slope = Phi(x) + x phi(x),   phi(x) = exp(-x^2 / 2) / sqrt(2 pi)             since Phi' = phi
    slope = (1 + tanh(z)) / 2 + x (1 - tanh(z)^2) / 2 * sqrt(2 / pi) (1 + 3 * 0.044715 x^2)

In float64 Phi is SciPy's. In float32, where an erf costs as much as fifty additions, it is

    Phi(x) = (1 + tanh(x P(x^2))) / 2

with P of degree 6, fitted to the least largest error of x Phi(x) on |x| <= 6.5, which is 0.7e-7: that of float32
itself. Beyond, P only grows, and tanh is 1. A test holds it against the exact form.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minitransformer.ops.rows import flat_blocks, result_array

_P = (
    0.7978842684508168,
    0.03633414899135236,
    -3.3026607387256686e-05,
    -5.527341465996127e-05,
    3.974074558453798e-06,
    -1.3378343278326257e-07,
    1.8139324941469956e-09,
)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)
_TANH_SCALE = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


class GeluCache(NamedTuple):
    slope: np.ndarray  # dy/dx, the shape of x


def gelu(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = x Phi(x), any shape: for inference. Written to `out`, which may be x, if given."""
    y = result_array(x, out)
    for x_block, y_block in flat_blocks(x, y):
        cdf = _normal_cdf(x_block, x_block * x_block)
        np.multiply(x_block, cdf, out=y_block)
    return y


def gelu_forward(x: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, GeluCache]:
    """y = x Phi(x), any shape, and the cache. y is written to `out`, which may be x, if given."""
    y, slope = result_array(x, out), np.empty(x.shape, x.dtype)
    for x_block, y_block, slope_block in flat_blocks(x, y, slope):
        square = x_block * x_block
        cdf = _normal_cdf(x_block, square)
        x_phi = np.exp(np.multiply(square, -0.5, out=square), out=square)
        x_phi *= x_block
        x_phi *= _DENSITY_AT_0
        np.add(cdf, x_phi, out=slope_block)
        np.multiply(x_block, cdf, out=y_block)
    return y, GeluCache(slope)


def gelu_tanh(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """y = x (1 + tanh(z)) / 2, any shape: for inference. Written to `out`, which may be x, if given."""
    y = result_array(x, out)
    for x_block, y_block in flat_blocks(x, y):
        np.multiply(x_block, _tanh_cdf(x_block), out=y_block)
    return y


def gelu_tanh_forward(x: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, GeluCache]:
    """y = x (1 + tanh(z)) / 2, any shape, and the cache. y is written to `out`, which may be x, if given."""
    y, slope = result_array(x, out), np.empty(x.shape, x.dtype)
    for x_block, y_block, slope_block in flat_blocks(x, y, slope):
        cdf = _tanh_cdf(x_block)
        # With p = (1 + tanh(z)) / 2, (1 - tanh(z)^2) / 2 = 2 p (1 - p): slope = p + x 2 p (1 - p) dz/dx.
        dz_dx = _TANH_SCALE * (1 + 3 * _CUBIC * x_block * x_block)
        np.multiply(x_block, cdf, out=y_block)
        np.add(cdf, 2 * y_block * (1 - cdf) * dz_dx, out=slope_block)
    return y, GeluCache(slope)


def gelu_backward(dy: np.ndarray, cache: GeluCache, out: np.ndarray | None = None) -> np.ndarray:
    """Gradient of x for dy, the same shape. Serves both forms. Written to `out`, which may be dy, if given."""
    return np.multiply(dy, cache.slope, out=out)


def _normal_cdf(x: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Phi(x), given x^2: SciPy's, or in float32 the fitted form of the module's docstring."""
    if x.dtype != np.float32:
        from scipy.special import ndtr

        return ndtr(x)
    with np.errstate(over="ignore"):  # from |x| = 4,000 on z is infinite, and tanh(z) right all the same
        z = _polynomial(square, _P)
        z *= x
    return _half_one_plus_tanh(z)


def _tanh_cdf(x: np.ndarray) -> np.ndarray:
    """(1 + tanh(z)) / 2 with z = sqrt(2 / pi) (x + 0.044715 x^3)."""
    z = x * x
    z *= _CUBIC
    z += 1
    z *= x
    z *= _TANH_SCALE
    return _half_one_plus_tanh(z)


def _half_one_plus_tanh(z: np.ndarray) -> np.ndarray:
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5
    return z


def _polynomial(u: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """c_0 + c_1 u + c_2 u^2 + ..., by Horner's rule."""
    *rest, highest = coefficients
    value = highest * u
    for coefficient in reversed(rest[1:]):
        value += coefficient
        value *= u
    value += rest[0]
    return value
