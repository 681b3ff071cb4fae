"""Layer normalisation: every row to mean 0 and variance 1, then a learnt scale and shift.

    y = gamma * x_hat + beta,   x_hat = (x - mean(x)) / std,   std = sqrt(var(x) + eps)

mean and var run over the H elements of one row; var is the biased one, mean((x - mean(x))^2).
Ba, Kiros, Hinton 2016 (arXiv 1607.06450), section 3.

Back, with c = x - mean(x), so that x_hat = c / std and std = sqrt(mean(c^2) + eps):

    y = gamma * x_hat + beta    dx_hat = dy * gamma
    x_hat = c / std             dstd = -sum_i dx_hat_i c_i / std^2 = -sum_i dx_hat_i x_hat_i / std
                                and c_i reaches x_hat_i directly and all of x_hat through std, dstd/dc_i = x_hat_i / H:
                                dc_i = dx_hat_i / std + dstd x_hat_i / H
                                     = (dx_hat_i - x_hat_i mean(dx_hat * x_hat)) / std
    c = x - mean(x)             dx_i = dc_i - mean(dc), and with mean(x_hat) = 0
                                dx_i = (dx_hat_i - mean(dx_hat) - x_hat_i mean(dx_hat * x_hat)) / std

So dx has no component along the ones vector and, but for eps, none along x_hat: what centring and scaling threw away.
gamma and beta serve every row: dgamma = sum over rows of dy * x_hat, dbeta = sum over rows of dy.

Both directions go through the rows in blocks (ops/rows.py); each block is the formula above.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.ops.rows import column_sums, row_blocks, row_dots, row_means


class LayerNormCache(NamedTuple):
    x_hat: np.ndarray  # (N, H), the normalised rows
    inv_std: np.ndarray  # (N, 1), 1 / std
    gamma: np.ndarray  # (H,)


def layer_norm(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float, out: np.ndarray | None = None
) -> np.ndarray:
    """y (N, H) as layer_norm_forward gives it, for inference. Written to `out`, which may be x, if given."""
    y = np.empty_like(x) if out is None else out
    for rows in row_blocks(x):
        _normalise(x[rows], eps, out=y[rows])
        y[rows] *= gamma
        y[rows] += beta
    return y


def layer_norm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float, overwrite_x: bool = False
) -> tuple[np.ndarray, LayerNormCache]:
    """Normalise the rows of x (N, H) with gamma, beta (H,). Returns y (N, H) and the cache.

    With overwrite_x, x_hat takes the place of x, and no other array is made for it.
    """
    y, x_hat, inv_std = np.empty_like(x), x if overwrite_x else np.empty_like(x), np.empty((len(x), 1), x.dtype)
    for rows in row_blocks(x):
        inv_std[rows] = _normalise(x[rows], eps, out=x_hat[rows])
        np.multiply(gamma, x_hat[rows], out=y[rows])
        y[rows] += beta
    return y, LayerNormCache(x_hat, inv_std, gamma)


def _normalise(x: np.ndarray, eps: float, out: np.ndarray) -> np.ndarray:
    """Write x_hat (N, H) of x (N, H) to `out`, which may be x, and return 1 / std (N, 1)."""
    centred = np.subtract(x, row_means(x), out=out)
    inv_std = 1 / np.sqrt(row_dots(centred, centred) / x.shape[1] + eps)  # 1 / sqrt(var(x) + eps)
    centred *= inv_std  # from here on it is x_hat
    return inv_std


def layer_norm_backward(dy: np.ndarray, cache: LayerNormCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x (N, H), gamma (H,) and beta (H,) for dy (N, H)."""
    x_hat, inv_std, gamma = cache
    dx, dgamma, dbeta = np.empty_like(dy), np.zeros_like(gamma), np.zeros_like(gamma)
    for rows in row_blocks(dy):
        dgamma += np.einsum("nh,nh->h", dy[rows], x_hat[rows])
        dbeta += column_sums(dy[rows])
        dx_hat = np.multiply(dy[rows], gamma, out=dx[rows])
        along_x_hat = row_dots(dx_hat, x_hat[rows]) / len(gamma)  # mean(dx_hat * x_hat)
        dx_hat -= row_means(dx_hat)
        dx_hat -= x_hat[rows] * along_x_hat
        dx_hat *= inv_std[rows]  # from here on it is dx
    return dx, dgamma, dbeta
