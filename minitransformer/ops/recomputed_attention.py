"""Attention for long sequences: the numbers of ops/attention.py without keeping its (T, U) weights.

The weights grow with the square of the length: for 2,048 tokens and 12 heads, and a float32 and its masked twin for
each, they are 400 MB a layer. But they are quick to recompute. So the forward goes through the queries block by block,
each with all the keys that it sees, and keeps q, k and v alone; the backward runs the forward of each block again and
then its backward:

    for each block:    dq[block], dk_block, dv_block = attention_backward(dy[block], cache of the block, made again)
    dk = sum over blocks of dk_block,   dv = sum over blocks of dv_block         since the keys serve all blocks

That adds two matrix products to attention's six, and the memory grows with T + U.

Chen et al. 2016 (arXiv 1604.06174), who recompute any part of a network; Rabe, Staats 2021 (arXiv 2112.05682) and Dao
et al. 2022 (arXiv 2205.14135), who do it in attention, with the keys in blocks too.
"""

import copy
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitransformer.ops.attention import AttentionCache, attention_backward, attention_forward, check_causal
from minitransformer.ops.blocks import BLOCK_ELEMENTS


class RecomputedAttentionCache(NamedTuple):
    q: np.ndarray  # (..., T, D)
    k: np.ndarray  # (..., U, D)
    v: np.ndarray  # (..., U, D)
    scale: float | None
    causal: bool
    dropout_rate: float
    rng: np.random.Generator | None  # as it was before the forward, to draw the same masks again


def recomputed_attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    scale: float | None = None,
    causal: bool = False,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, RecomputedAttentionCache]:
    """y (..., T, D) of q (..., T, D), k and v (..., U, D), and the cache. The arguments are attention_forward's."""
    cache = RecomputedAttentionCache(q, k, v, scale, causal, dropout_rate, copy.deepcopy(rng))
    y = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    for queries, _, y_block, _ in _attend_in_blocks(cache, rng):
        y[queries] = y_block
    return y, cache


def recomputed_attention_backward(
    dy: np.ndarray, cache: RecomputedAttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (..., T, D), k and v (..., U, D) for dy (..., T, D)."""
    dq, dk, dv = np.empty_like(cache.q), np.zeros_like(cache.k), np.zeros_like(cache.v)
    for queries, keys, _, block_cache in _attend_in_blocks(cache, copy.deepcopy(cache.rng)):
        dq[queries], dk_block, dv_block = attention_backward(dy[queries], block_cache)
        dk[keys] += dk_block
        dv[keys] += dv_block
    return dq, dk, dv


def _attend_in_blocks(
    cache: RecomputedAttentionCache, rng: np.random.Generator | None
) -> Iterator[tuple[Any, Any, np.ndarray, AttentionCache]]:
    """The forward of about BLOCK_ELEMENTS scores at a time: which queries and keys, their y and the cache."""
    q, k, v, scale, causal, dropout_rate, _ = cache
    num_queries, num_keys = q.shape[-2], k.shape[-2]
    if causal:
        check_causal(num_queries, num_keys)
    queries_at_once = max(1, BLOCK_ELEMENTS // (math.prod(q.shape[:-2]) * num_keys))
    for start in range(0, num_queries, queries_at_once):
        end = min(start + queries_at_once, num_queries)
        num_seen = num_keys - num_queries + end if causal else num_keys
        queries, keys = (..., slice(start, end), slice(None)), (..., slice(num_seen), slice(None))
        options: Any = {"scale": scale, "causal": causal, "dropout_rate": dropout_rate, "rng": rng}
        yield queries, keys, *attention_forward(q[queries], k[keys], v[keys], **options)
