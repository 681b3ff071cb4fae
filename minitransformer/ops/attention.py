"""Attention: every token gathers from the others, in proportion to how well its query fits their keys.

One head, one sentence (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1), with queries q (T, D), keys k and
values v (U, D), where U = T in self-attention:

    scores = q k^T * scale      (T, U)   how well query i fits key j; scale is 1 / sqrt(D)
    weights = softmax(scores)   (T, U)   each row adds up to 1
    y = weights v               (T, D)   row i is a mean of the rows of v

With q_i and k_j of independent components of variance 1, their product has variance D; the scale brings it back to 1,
since large scores push softmax to where its slope is nearly 0.

Causal attention (section 3.2.3) lets query i see the keys 0 .. i only (with U > T, the last T places are the queries':
query i sees keys 0 .. i + U - T; with U < T some would see none, which is an error). Dropout, in training, sets some
weights to 0: y = (weights * mask) v.

Back, line by line from the last:

    y = (weights * mask) v       dv = (weights * mask)^T dy,   dweights = (dy v^T) * mask
    weights = softmax(scores)    dscores = weights * (dweights - sum_j dweights_ij weights_ij)
    scores = q k^T * scale       dq = dscores k * scale,   dk = dscores^T q * scale

The sum in the second line needs no (T, U) product, since sum_j dweights_ij weights_ij = dy_i . y_i:
put the first line in, and sum_j (weights * mask)_ij v_j is y_i (Dao et al. 2022, arXiv 2205.14135, appendix B.2).

Leading axes are stacks of independent sentences and heads; ops/multi_head_attention.py makes them of a batch.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minitransformer.ops.dropout import dropout_mask
from minitransformer.ops.rows import row_sums
from minitransformer.ops.softmax import softmax_forward

MASKED_SCORE = -1e9  # finite, so that softmax never meets inf - inf; exp of it is exactly 0


class AttentionCache(NamedTuple):
    q: np.ndarray  # (..., T, D), already scaled
    k: np.ndarray  # (..., U, D)
    v: np.ndarray  # (..., U, D)
    y: np.ndarray  # (..., T, D)
    weights: np.ndarray  # (..., T, U), softmax's
    kept_weights: np.ndarray  # (..., T, U), after dropout; the same array without dropout
    scale: float


def attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    scale: float | None = None,
    causal: bool = False,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, AttentionCache]:
    """y (..., T, D) of q (..., T, D), k and v (..., U, D), and the cache. Leading axes are independent stacks.

    scale is 1 / sqrt(D) unless given (1.0 gives unscaled attention). Dropout happens only with an rng. y is written
    to `out` if that is given.
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    q = q * scale  # here and not in the scores: T D products instead of T U
    scores = q @ np.swapaxes(k, -1, -2)
    if causal:
        scores[..., future_keys(*scores.shape[-2:])] = MASKED_SCORE
    weights, _ = softmax_forward(scores)
    kept_weights = weights
    if rng is not None and dropout_rate > 0:
        kept_weights = dropout_mask(weights.shape, dropout_rate, rng, weights.dtype)
        kept_weights *= weights
    y = np.matmul(kept_weights, v, out=out)
    return y, AttentionCache(q, k, v, y, weights, kept_weights, scale)


def attention_backward(
    dy: np.ndarray, cache: AttentionCache, out: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (..., T, D), k and v (..., U, D) for dy (..., T, D), written to the three of `out` if given."""
    q, k, v, y, weights, kept_weights, scale = cache
    dq_out, dk_out, dv_out = out or (None, None, None)
    dv = np.matmul(np.swapaxes(kept_weights, -1, -2), dy, out=dv_out)
    dscores = dy @ np.swapaxes(v, -1, -2)  # dweights, but for the mask
    dscores *= kept_weights  # kept_weights = weights * mask, so this is dweights * weights
    dscores -= weights * row_sums(dy * y)  # minus weights times the sum of the second line
    dq = np.matmul(dscores, k, out=dq_out)
    dq *= scale
    dk = np.matmul(np.swapaxes(dscores, -1, -2), q, out=dk_out)  # q carries the scale already
    return dq, dk, dv


def future_keys(num_queries: int, num_keys: int) -> np.ndarray:
    """(T, U), True where causal attention hides key j from query i: j > i + U - T."""
    if num_keys < num_queries:
        raise ValueError(f"causal attention of {num_queries} queries needs as many keys at least, found {num_keys}")
    return ~np.tri(num_queries, num_keys, num_keys - num_queries, dtype=bool)
