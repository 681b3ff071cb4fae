"""Additive attention: whether a query and a key fit is asked of a small network, not of their product.

    scores_m = tanh(q_s + k_m) w,   weights = softmax(scores),   y_s = the sum of weights_m v_m

Bahdanau et al. 2015 (arXiv 1409.0473), section 3.1 and appendix A.1.2. Each of S queries asks the rows m of its own
sequence; a recurrent decoder has one query at a time, its state. No pair is a product, so there is no one product for
all pairs either: tanh is computed for each.

Back, with fit = tanh(q_s + k_m), and s the sequence of m:

    dweights_m = dy_s v_m,   dv_m = weights_m dy_s
    dscores_m = weights_m (dweights_m - the sum of weights dweights over the sequence)
    dw = the sum of dscores_m fit_m,   dk_m = dscores_m w (1 - fit_m^2),   dq_s = the sum of dk_m over the sequence
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sequences import reduce_sequences


class AdditiveAttentionCache(NamedTuple):
    fit: np.ndarray  # (M, A)
    weights: np.ndarray  # (M, 1), which add up to 1 in each sequence
    v: np.ndarray  # (M, H)
    w: np.ndarray  # (A,)
    lengths: np.ndarray  # (S,)


def additive_attention_forward(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, w: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, AdditiveAttentionCache]:
    """y (S, H) for queries q (S, A), keys k (M, A), values v (M, H) and w (A,), and the cache.

    lengths (S,) cut the rows of k and v into sequences, each of at least one row.
    """
    fit = np.tanh(np.repeat(q, lengths, axis=0) + k)
    scores = fit @ w[:, None]
    exps = np.exp(scores - _of_rows(np.maximum, scores, lengths))
    weights = exps / _of_rows(np.add, exps, lengths)
    return reduce_sequences(np.add, weights * v, lengths), AdditiveAttentionCache(fit, weights, v, w, lengths)


def additive_attention_backward(
    dy: np.ndarray, cache: AdditiveAttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (S, A), k (M, A), v (M, H) and w (A,), for dy (S, H)."""
    fit, weights, v, w, lengths = cache
    dy = np.repeat(dy, lengths, axis=0)
    dweights = (dy * v).sum(axis=1, keepdims=True)
    dscores = weights * (dweights - _of_rows(np.add, weights * dweights, lengths))
    dk = dscores * w * (1 - fit * fit)
    return reduce_sequences(np.add, dk, lengths), dk, weights * dy, (dscores.T @ fit)[0]


def _of_rows(operation: np.ufunc, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """For each row of x (M, 1), the operation's result over the rows of its sequence: (M, 1)."""
    return np.repeat(reduce_sequences(operation, x, lengths), lengths, axis=0)
