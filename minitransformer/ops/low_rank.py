"""A linear map of low rank: every row of x times a thin matrix, then times a flat one.

    z = s x A,   y = z B,   A (in, r), B (r, out), s a number

A B is a matrix (in, out) of rank r at most, and is never made: with r small, both products together cost r (in + out)
multiplications a row instead of in * out. LoRA adds y to a linear layer's output (Hu et al. 2021, arXiv 2106.09685,
section 4.1).

Back, the rules of ops/linear.py twice, from the last line to the first:

    dB = z^T dy,   dz = dy B^T
    dA = s x^T dz,   dx = s dz A^T

With B = 0, as LoRA begins, y, dA and dx are 0: the first step changes B alone.
"""

from typing import NamedTuple

import numpy as np


class LowRankCache(NamedTuple):
    x: np.ndarray  # (N, in)
    z: np.ndarray  # (N, r)
    a: np.ndarray  # (in, r)
    b: np.ndarray  # (r, out)
    scale: float


def low_rank_forward(x: np.ndarray, a: np.ndarray, b: np.ndarray, scale: float) -> tuple[np.ndarray, LowRankCache]:
    """y (N, out) of x (N, in), a (in, r), b (r, out) and a number, and the cache."""
    z = scale * (x @ a)
    return z @ b, LowRankCache(x, z, a, b, scale)


def low_rank_backward(dy: np.ndarray, cache: LowRankCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x (N, in), a (in, r) and b (r, out) for dy (N, out)."""
    x, z, a, b, scale = cache
    s_dz = scale * (dy @ b.T)
    return s_dz @ a.T, x.T @ s_dz, z.T @ dy
