"""The cosine of the angle between two vectors: 1 for the same direction, 0 for a right angle, -1 for the opposite.

    c = u_hat . v_hat,   u_hat = u / |u|,   v_hat = v / |v|

Either of corresponding rows, one number for each pair, or of every row of a with every row of b, a matrix:

    c_i = u_hat_i . v_hat_i          c_ij = a_hat_i . b_hat_j,   c = a_hat b_hat^T

A length below eps = 1e-8 counts as eps, as in PyTorch, so that a row of zeros has the cosine 0 and not 0 / 0.

Back, first to the unit rows (a product's gradient: ops/linear.py has the rule for matrices)

    du_hat = dc v_hat                da_hat = dc b_hat,   db_hat = dc^T a_hat

and from there to the rows. u reaches u_hat directly and through its length, |u| having the gradient u_hat:

    du = (du_hat - u_hat (u_hat . du_hat)) / |u|

so du has no component along u: a longer vector has the same angle. For corresponding rows u_hat . du_hat is dc c and
this is the well-known dc (v_hat - c u_hat) / |u|. (Where the length counts as eps it is a constant: du = du_hat / eps.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EPS = 1e-8


class UnitRows(NamedTuple):
    x_hat: np.ndarray  # (S, H), rows of length 1
    norms: np.ndarray  # (S, 1), the lengths before, at least EPS


class CosineCache(NamedTuple):
    u: UnitRows
    v: UnitRows


def cosine_similarity_forward(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, CosineCache]:
    """Cosines (S,) of corresponding rows of u and v (S, H), and the cache."""
    cache = CosineCache(_unit_rows(u), _unit_rows(v))
    return np.einsum("sh,sh->s", cache.u.x_hat, cache.v.x_hat), cache


def cosine_similarity_backward(dcosines: np.ndarray, cache: CosineCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of u and v (S, H) for dcosines (S,)."""
    u, v = cache
    du_hat = dcosines[:, None] * v.x_hat
    dv_hat = dcosines[:, None] * u.x_hat
    return _unit_rows_backward(du_hat, u), _unit_rows_backward(dv_hat, v)


def cosine_matrix_forward(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, CosineCache]:
    """Cosines (S, C) of every row of a (S, H) with every row of b (C, H), and the cache."""
    cache = CosineCache(_unit_rows(a), _unit_rows(b))
    return cache.u.x_hat @ cache.v.x_hat.T, cache


def cosine_matrix_backward(dcosines: np.ndarray, cache: CosineCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of a (S, H) and b (C, H) for dcosines (S, C)."""
    a, b = cache
    da_hat = dcosines @ b.x_hat
    db_hat = dcosines.T @ a.x_hat
    return _unit_rows_backward(da_hat, a), _unit_rows_backward(db_hat, b)


def _unit_rows(x: np.ndarray) -> UnitRows:
    norms = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), EPS)
    return UnitRows(x / norms, norms)


def _unit_rows_backward(dx_hat: np.ndarray, rows: UnitRows) -> np.ndarray:
    x_hat, norms = rows
    along_x = np.einsum("sh,sh->s", dx_hat, x_hat)[:, None]
    return (dx_hat - np.where(norms > EPS, along_x, 0) * x_hat) / norms
