"""The linear layer: every row of x times one matrix, plus one bias.

    y = x W + b,   y_ij = sum_k x_ik W_kj + b_j

W is (in, out), so that the code reads as the lecture writes it: Q = X W^Q.

Back, from dy_ij = dL/dy_ij, following each letter of the forward to where it was used:

    dx_ik = sum_j dy_ij W_kj      dx = dy W^T      x_ik reaches every output j of its own row
    dW_kj = sum_i x_ik dy_ij      dW = x^T dy      W_kj is used by every row i
    db_j  = sum_i dy_ij                            b_j too

Rumelhart, Hinton, Williams 1986, "Learning representations by back-propagating errors", equations 1 and 5-7.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sums import column_sums


class LinearCache(NamedTuple):
    x: np.ndarray  # (N, in)
    weight: np.ndarray  # (in, out)


def linear_forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, LinearCache]:
    """y (N, out) of x (N, in), weight (in, out), bias (out,), and the cache."""
    y = x @ weight
    y += bias
    return y, LinearCache(x, weight)


def linear_backward(dy: np.ndarray, cache: LinearCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x (N, in), weight (in, out) and bias (out,) for dy (N, out)."""
    x, weight = cache
    return dy @ weight.T, x.T @ dy, column_sums(dy)
