"""Attention: every token gathers from the others, in proportion to how well its query fits their keys.

One head, one sequence (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1), with queries q (T, D), keys k and
values v (U, D), where U = T in self-attention:

    scores = q k^T * scale      (T, U)   how well query i fits key j; scale is 1 / sqrt(D)
    weights = softmax(scores)   (T, U)   each row adds up to 1
    y = weights v               (T, D)   row i is a mean of the rows of v

With q_i and k_j of independent components of variance 1, their product has variance D; the scale brings it back to 1,
since large scores push softmax to where its slope is nearly 0.

Causal attention (section 3.2.3) lets query i see the keys 0 .. i only (with U > T, the last T places are the queries':
query i sees keys 0 .. i + U - T; with U < T some would see none, which is an error). Dropout, in training, sets some
weights to 0 and scales the others up: y = (weights * mask) v (ops/dropout.py).

Back, line by line from the last, with mask = 1 everywhere if there is no dropout:

    y = kept_weights v               dv = kept_weights^T dy,   dkept_weights = dy v^T
    kept_weights = weights * mask    dweights = dkept_weights * mask
    weights = softmax(scores)        dscores_ij = weights_ij (dweights_ij - sum_l weights_il dweights_il)
    scores = q k^T * scale           dq = dscores k * scale,   dk = dscores^T q * scale

A bias (T, U), where there is one, is added to the scores, and so has their gradient: dbias = dscores.

The mask comes in only by weights * dweights = weights * mask * dkept_weights = kept_weights * dkept_weights.

Leading axes are stacks of independent sequences and heads; ops/multi_head_attention.py makes them of a batch.
"""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.ops.dropout import dropout_mask
from minitransformer.ops.sums import row_sums


class AttentionCache(NamedTuple):
    q: np.ndarray  # (..., T, D)
    k: np.ndarray  # (..., U, D)
    v: np.ndarray  # (..., U, D)
    weights: np.ndarray  # (..., T, U), softmax's
    kept_weights: np.ndarray  # (..., T, U), after dropout; the same array without dropout
    scale: float


def attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    scale: float | None = None,
    bias: np.ndarray | None = None,
    causal: bool = False,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, AttentionCache]:
    """y (..., T, D) of q (..., T, D), k and v (..., U, D), and the cache. Leading axes are independent stacks.

    scale defaults to 1 / sqrt(D); 1.0 gives unscaled attention. Dropout happens only with an rng.
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    weights = kept_weights = attention_weights(q, k, scale, bias, causal)
    if rng is not None and dropout_rate > 0:
        kept_weights = dropout_mask(weights.shape, dropout_rate, rng, weights.dtype) * weights
    y = kept_weights @ v
    return y, AttentionCache(q, k, v, weights, kept_weights, scale)


def attention_weights(
    q: np.ndarray, k: np.ndarray, scale: float, bias: np.ndarray | None = None, causal: bool = False
) -> np.ndarray:
    """weights (..., T, U) of q (..., T, D) and k (..., U, D): how each query divides its attention among the keys."""
    scores = (q * scale) @ _transpose(k)  # q has fewer elements to scale than the scores
    if bias is not None:
        scores += bias
    seen = _seen_keys(scores.shape[-2], scores.shape[-1], scores.dtype) if causal else None
    return _softmax(scores, seen)


def attention_backward(dy: np.ndarray, cache: AttentionCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (..., T, D), k and v (..., U, D) for dy (..., T, D)."""
    return attention_and_scores_backward(dy, cache)[:3]


def attention_and_scores_backward(
    dy: np.ndarray, cache: AttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As attention_backward, and the gradient of the scores (..., T, U), which is that of a bias."""
    q, k, v, weights, kept_weights, scale = cache
    dv = _transpose(kept_weights) @ dy
    weighted = kept_weights * (dy @ _transpose(v))  # weights * dweights
    dscores = weighted + weights * -row_sums(weighted)  # a sum: NumPy then reuses the product's memory
    dq = dscores @ k * scale
    dk = _transpose(dscores) @ q * scale
    return dq, dk, dv, dscores


def check_causal(num_queries: int, num_keys: int) -> None:
    """Raise ValueError if the first of the queries would see no key."""
    if num_keys < num_queries:
        raise ValueError(f"causal attention of {num_queries} queries needs at least as many keys, found {num_keys}")


def _seen_keys(num_queries: int, num_keys: int, dtype: np.dtype) -> np.ndarray:
    """(T, U), 1 where causal attention shows key j to query i, j <= i + U - T, and 0 where it hides it."""
    check_causal(num_queries, num_keys)
    return np.tri(num_queries, num_keys, num_keys - num_queries, dtype=dtype)


def _softmax(scores: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
    """ops/softmax.py over the keys that are seen (all, if None), written over the scores.

    Moderate scores need no maximum: exp(+-60) = 1e+-26 is within range.
    """
    if scores.size and not -60 < scores.min() <= scores.max() < 60:
        if seen is not None:
            np.copyto(scores, -np.inf, where=seen == 0)  # each query sees a key, so the maximum is finite
        scores -= scores.max(axis=-1, keepdims=True)
    exps = np.exp(scores, out=scores)
    if seen is not None:
        exps *= seen
    exps /= row_sums(exps)
    return exps


def _transpose(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)
