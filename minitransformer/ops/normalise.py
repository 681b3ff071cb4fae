"""L2 normalisation: every row scaled to length 1, so that the product of two rows is the cosine of their angle.

    x_hat = x / |x|,   |x| = sqrt(sum_k x_k^2)

A length below eps counts as eps, so that a row of zeros stays a row of zeros.

Back: x reaches x_hat directly and through its length, and d|x|/dx = x / |x| = x_hat, so

    dx = (dx_hat - x_hat (x_hat . dx_hat)) / |x|

has no component along x: a longer row has the same direction. (Where the length counts as eps it is a constant, and
dx = dx_hat / eps.)
"""

from typing import NamedTuple

import numpy as np


class NormaliseCache(NamedTuple):
    x_hat: np.ndarray  # (S, H), rows of length 1
    norms: np.ndarray  # (S, 1), the lengths before, at least eps
    eps: float


def normalise_forward(x: np.ndarray, eps: float = 1e-12) -> tuple[np.ndarray, NormaliseCache]:
    """x_hat (S, H), the rows of x (S, H) with length 1, and the cache."""
    norms = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), eps)
    x_hat = x / norms
    return x_hat, NormaliseCache(x_hat, norms, eps)


def normalise_backward(dx_hat: np.ndarray, cache: NormaliseCache) -> np.ndarray:
    """Gradient of x (S, H) for dx_hat (S, H)."""
    x_hat, norms, eps = cache
    along_x = np.einsum("sh,sh->s", dx_hat, x_hat)[:, None]
    return (dx_hat - np.where(norms > eps, along_x, 0) * x_hat) / norms
