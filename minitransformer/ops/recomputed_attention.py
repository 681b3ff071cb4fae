"""Attention for long sentences: the same numbers as ops/attention.py, without keeping its (T, U) weights.

The weights grow with the square of the length: for 2,048 tokens and 12 heads, and a float32 and its masked twin for
each, they are 400 MB a layer. But they are quickly made again, if one number for each query is kept:

    log_sum_exp_i = log sum_j exp(scores_ij)            (T, 1)
    weights_ij = exp(scores_ij - log_sum_exp_i)         softmax, written with it

So the forward goes through the queries in blocks, whose scores stay in the processor's cache, and keeps q, k, v, y and
log_sum_exp. The backward goes through the same blocks, makes the weights of each again and goes on as ops/attention.py
does. The keys and values serve all blocks, so their gradients add up:

    dk = sum over blocks of dscores^T q * scale,   dv = sum over blocks of (weights * mask)^T dy

ops/multi_head_attention.py goes this way with sentences of more than 1,024 tokens.

The mask of a block comes from a generator of its own, seeded by one number for the call and the block's number: the
backward draws it again. In causal attention a block's last query sees the most keys; those beyond are left out.

Rabe, Staats 2021 (arXiv 2112.05682); Dao et al. 2022 (arXiv 2205.14135), algorithms 2 and 4, where the keys are in
blocks too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitransformer.ops.attention import MASKED_SCORE, AttentionCache, attention_backward, future_keys
from minitransformer.ops.dropout import dropout_mask
from minitransformer.ops.rows import row_sums
from minitransformer.randomness import generator

_BLOCK_SCORES = 2**18  # 1 MiB in float32: smaller blocks add to dk and dv more often, larger ones leave the cache


class RecomputedAttentionCache(NamedTuple):
    q: np.ndarray  # (..., T, D)
    k: np.ndarray  # (..., U, D)
    v: np.ndarray  # (..., U, D)
    y: np.ndarray  # (..., T, D)
    log_sum_exp: np.ndarray  # (..., T, 1)
    scale: float
    causal: bool
    dropout_rate: float
    dropout_seed: int | None  # None without dropout


class QueryBlock(NamedTuple):
    """Some queries of all stacks, and the keys that they see."""

    number: int
    queries: Any  # an index of q, y and what else has a row for each query
    keys: Any  # an index of k and v


def recomputed_attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    scale: float | None = None,
    causal: bool = False,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, RecomputedAttentionCache]:
    """y (..., T, D) of q (..., T, D), k and v (..., U, D), and the cache: attention_forward's, in other words.

    Its memory grows with T + U. Without dropout y is attention_forward's to rounding; dropout draws other masks.
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    seed = int(rng.integers(2**63)) if rng is not None and dropout_rate > 0 else None
    y = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype) if out is None else out
    log_sum_exp = np.empty((*q.shape[:-1], 1), q.dtype)
    cache = RecomputedAttentionCache(q, k, v, y, log_sum_exp, scale, causal, dropout_rate, seed)
    for block in _query_blocks(q, k, causal):
        _, queries, keys = block
        weights = _scores(q[queries] * scale, k[keys], causal)
        top = weights.max(axis=-1, keepdims=True)
        weights -= top
        np.exp(weights, out=weights)
        sums = row_sums(weights)
        weights /= sums
        log_sum_exp[queries] = top + np.log(sums)
        np.matmul(_kept(weights, cache, block), v[keys], out=y[queries])
    return y, cache


def recomputed_attention_backward(
    dy: np.ndarray,
    cache: RecomputedAttentionCache,
    out: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (..., T, D), k and v (..., U, D) for dy (..., T, D), written to the three of `out` if given."""
    q, k, v, y, log_sum_exp, scale, causal, *_ = cache
    dq, dk, dv = (np.empty(x.shape, x.dtype) for x in (q, k, v)) if out is None else out
    dk[...] = 0
    dv[...] = 0
    for block in _query_blocks(q, k, causal):
        _, queries, keys = block
        scaled_q = q[queries] * scale
        weights = _scores(scaled_q, k[keys], causal)
        weights -= log_sum_exp[queries]
        np.exp(weights, out=weights)
        kept_weights = _kept(weights, cache, block)
        made_again = AttentionCache(scaled_q, k[keys], v[keys], y[queries], weights, kept_weights, scale)
        dq[queries], dk_block, dv_block = attention_backward(dy[queries], made_again)
        dk[keys] += dk_block
        dv[keys] += dv_block
    return dq, dk, dv


def _query_blocks(q: np.ndarray, k: np.ndarray, causal: bool) -> Iterator[QueryBlock]:
    """Cut the T queries into blocks of about _BLOCK_SCORES scores in all stacks together."""
    num_queries, num_keys = q.shape[-2], k.shape[-2]
    if causal and num_keys < num_queries:
        raise ValueError(f"causal attention of {num_queries} queries needs as many keys at least, found {num_keys}")
    size = max(1, _BLOCK_SCORES // (math.prod(q.shape[:-2]) * num_keys))
    for number, start in enumerate(range(0, num_queries, size)):
        end = min(start + size, num_queries)
        seen = num_keys - num_queries + end if causal else num_keys
        yield QueryBlock(number, (..., slice(start, end), slice(None)), (..., slice(seen), slice(None)))


def _scores(scaled_q: np.ndarray, k: np.ndarray, causal: bool) -> np.ndarray:
    scores = scaled_q @ np.swapaxes(k, -1, -2)
    if causal:
        scores[..., future_keys(*scores.shape[-2:])] = MASKED_SCORE
    return scores


def _kept(weights: np.ndarray, cache: RecomputedAttentionCache, block: QueryBlock) -> np.ndarray:
    """The weights after dropout: the same every time that it is asked for a block of a call."""
    if cache.dropout_seed is None:
        return weights
    rng = generator(cache.dropout_seed, "attention dropout", block.number)
    return weights * dropout_mask(weights.shape, cache.dropout_rate, rng, weights.dtype)
