"""Layer normalisation: every row to mean 0 and variance 1, then a learnt scale and shift.

    y = gamma * x_hat + beta,   x_hat = (x - mean(x)) / std,   std = sqrt(var(x) + eps)

mean and var run over the H elements of one row; var is the biased one, mean((x - mean(x))^2).
Ba, Kiros, Hinton 2016 (arXiv 1607.06450), section 3.

Back, with c = centred = x - mean(x), so that x_hat = c / std and std = sqrt(mean(c^2) + eps):

    y = gamma * x_hat + beta    dx_hat = dy * gamma
    x_hat = c / std             dstd = -sum_i dx_hat_i c_i / std^2 = -sum_i dx_hat_i x_hat_i / std
                                and c_i reaches x_hat_i directly and all of x_hat through std, dstd/dc_i = x_hat_i / H:
                                dc_i = dx_hat_i / std + dstd x_hat_i / H
                                     = (dx_hat_i - x_hat_i mean(dx_hat * x_hat)) / std
    c = x - mean(x)             dx_i = dc_i - mean(dc), and with mean(x_hat) = 0
                                dx_i = (dx_hat_i - mean(dx_hat) - x_hat_i along_x_hat) / std
                                where along_x_hat = mean(dx_hat * x_hat)

So dx has no component along the ones vector and, but for eps, none along x_hat: what centring and scaling threw away.
gamma and beta serve every row: dgamma = sum over rows of dy * x_hat, dbeta = sum over rows of dy.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sums import column_sums, row_means


class LayerNormCache(NamedTuple):
    x_hat: np.ndarray  # (N, H), the normalised rows
    inv_std: np.ndarray  # (N, 1), 1 / std
    gamma: np.ndarray  # (H,)


def layer_norm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float
) -> tuple[np.ndarray, LayerNormCache]:
    """Normalise the rows of x (N, H) with gamma, beta (H,). Returns y (N, H) and the cache."""
    centred = x - row_means(x)
    inv_std = 1 / np.sqrt(row_means(centred * centred) + eps)
    x_hat = centred * inv_std
    return gamma * x_hat + beta, LayerNormCache(x_hat, inv_std, gamma)


def layer_norm_backward(dy: np.ndarray, cache: LayerNormCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x (N, H), gamma (H,) and beta (H,) for dy (N, H)."""
    x_hat, inv_std, gamma = cache
    dx_hat = dy * gamma
    along_x_hat = row_means(dx_hat * x_hat)
    dx = inv_std * (dx_hat - row_means(dx_hat) - x_hat * along_x_hat)
    return dx, column_sums(dy * x_hat), column_sums(dy)
