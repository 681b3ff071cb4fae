"""The cosine of the angle between two vectors: 1 for the same direction, 0 for a right angle, -1 for the opposite.

    c = u_hat . v_hat,   u_hat = u / |u|,   v_hat = v / |v|

Either of corresponding rows, one number for each pair, or of every row of a with every row of b, a matrix:

    c_i = u_hat_i . v_hat_i          c_ij = a_hat_i . b_hat_j,   c = a_hat b_hat^T

A length below eps = 1e-8 counts as eps, as in PyTorch, so that a row of zeros has the cosine 0 and not 0 / 0.

Back, first to the unit rows (a product's gradient: ops/linear.py has the rule for matrices)

    du_hat = dc v_hat                da_hat = dc b_hat,   db_hat = dc^T a_hat

and from there to the rows as ops/normalise.py does it. For corresponding rows that is du = dc (v_hat - c u_hat) / |u|.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.normalise import NormaliseCache, normalise_backward, normalise_forward

EPS = 1e-8


class CosineCache(NamedTuple):
    u: NormaliseCache
    v: NormaliseCache


def cosine_similarity_forward(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, CosineCache]:
    """Cosines (S,) of corresponding rows of u and v (S, H), and the cache."""
    cache = _normalise_both(u, v)
    return np.einsum("sh,sh->s", cache.u.x_hat, cache.v.x_hat), cache


def cosine_similarity_backward(dcosines: np.ndarray, cache: CosineCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of u and v (S, H) for dcosines (S,)."""
    u, v = cache
    du_hat = dcosines[:, None] * v.x_hat
    dv_hat = dcosines[:, None] * u.x_hat
    return normalise_backward(du_hat, u), normalise_backward(dv_hat, v)


def cosine_matrix_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, CosineCache]:
    """Cosines (S, C) of every row of a (S, H) with every row of b (C, H), and the cache."""
    cache = _normalise_both(a, b)
    return cache.u.x_hat @ cache.v.x_hat.T, cache


def cosine_matrix_backward(dcosines: np.ndarray, cache: CosineCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of a (S, H) and b (C, H) for dcosines (S, C)."""
    a, b = cache
    da_hat = dcosines @ b.x_hat
    db_hat = dcosines.T @ a.x_hat
    return normalise_backward(da_hat, a), normalise_backward(db_hat, b)


def _normalise_both(a: np.ndarray, b: np.ndarray) -> CosineCache:
    return CosineCache(normalise_forward(a, EPS)[1], normalise_forward(b, EPS)[1])
