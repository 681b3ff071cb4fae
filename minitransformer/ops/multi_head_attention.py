"""Multi-head attention: each head of each sentence of a batch attends for itself.

Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.2.

A batch is N rows of H columns, its S sentences one under the other (query_lengths and key_lengths say how many rows
each has). Head a owns the D columns from a D on, of q, k and v; k and v have M rows, which in self-attention is N:

    y[rows of s, columns of a] = attention(q[rows of s, columns of a], k[...], v[...])

with the attention of ops/attention.py, and backwards the same. This is the only operation that mixes tokens, and no
sentence sees another. Sentences of equal length that stand one after the other go through as one stack (sentences,
heads, T, D), in blocks whose scores stay in the processor's cache.

For the backward the weights (T, T) of each head are kept. In sentences of more than 1,024 tokens they are not, but made
again (ops/recomputed_attention.py): memory then grows with T, and time by up to a third.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitransformer.ops.attention import AttentionCache, attention_backward, attention_forward
from minitransformer.ops.recomputed_attention import (
    RecomputedAttentionCache,
    recomputed_attention_backward,
    recomputed_attention_forward,
)

_BLOCK_SCORES = 2**18  # 1 MiB of scores in float32, for the reasons in ops/rows.py
_MOST_KEPT_SCORES = 2**20  # of a head of a sentence: 1,024 tokens that all see each other


class Block(NamedTuple):
    """Some sentences of equal length that stand one after the other, and some of the heads."""

    sentences: int
    query_rows: slice  # of q and y
    key_rows: slice  # of k and v
    heads: slice
    long: bool  # whether the backward makes the weights again


class MultiHeadAttentionCache(NamedTuple):
    blocks: list[tuple[Block, AttentionCache | RecomputedAttentionCache]]
    num_heads: int
    num_keys: int  # M, the rows of k and v


def multi_head_attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    query_lengths: np.ndarray,
    key_lengths: np.ndarray,
    num_heads: int,
    *,
    causal: bool = False,
) -> np.ndarray:
    """y (N, H), as multi_head_attention_forward gives it, for inference: no block's cache is kept."""
    y = np.empty(q.shape, q.dtype)
    for _ in _attended_blocks(q, k, v, y, query_lengths, key_lengths, num_heads, causal=causal):
        pass
    return y


def multi_head_attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    query_lengths: np.ndarray,
    key_lengths: np.ndarray,
    num_heads: int,
    *,
    causal: bool = False,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, MultiHeadAttentionCache]:
    """y (N, H) for queries q (N, H), keys k and values v (M, H), and the cache.

    query_lengths and key_lengths (S,) cut the rows of q, and those of k and v, into the same S sentences; they are the
    same array in self-attention. H must be a multiple of num_heads. Dropout happens only with an rng.
    Raises ValueError if a length is below 1 or the lengths don't add up to the rows.
    """
    y = np.empty(q.shape, q.dtype)
    options = {"causal": causal, "dropout_rate": dropout_rate, "rng": rng}
    blocks = list(_attended_blocks(q, k, v, y, query_lengths, key_lengths, num_heads, **options))
    return y, MultiHeadAttentionCache(blocks, num_heads, len(k))


def multi_head_attention_backward(
    dy: np.ndarray, cache: MultiHeadAttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (N, H), k and v (M, H) for dy (N, H)."""
    blocks, num_heads, num_keys = cache
    dq = np.empty(dy.shape, dy.dtype)
    dk, dv = (np.empty((num_keys, dy.shape[1]), dy.dtype) for _ in range(2))
    for block, block_cache in blocks:
        dy_block, dq_block = (_heads(rows, block.query_rows, block, num_heads) for rows in (dy, dq))
        dk_block, dv_block = (_heads(rows, block.key_rows, block, num_heads) for rows in (dk, dv))
        out = dq_block, dk_block, dv_block
        if isinstance(block_cache, RecomputedAttentionCache):
            recomputed_attention_backward(dy_block, block_cache, out)
        else:
            attention_backward(dy_block, block_cache, out)
    return dq, dk, dv


def _attended_blocks(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    query_lengths: np.ndarray,
    key_lengths: np.ndarray,
    num_heads: int,
    **options: Any,
) -> Iterator[tuple[Block, AttentionCache | RecomputedAttentionCache]]:
    """Write each block's part of y, and yield the block with its cache. `options` are those of attention_forward."""
    _check_lengths("query_lengths", query_lengths, q)
    _check_lengths("key_lengths", key_lengths, k)
    for block in _blocks(query_lengths, key_lengths, num_heads):
        q_block, y_block = (_heads(rows, block.query_rows, block, num_heads) for rows in (q, y))
        k_block, v_block = (_heads(rows, block.key_rows, block, num_heads) for rows in (k, v))
        attend = recomputed_attention_forward if block.long else attention_forward
        _, cache = attend(q_block, k_block, v_block, out=y_block, **options)
        yield block, cache


def _heads(rows: np.ndarray, places: slice, block: Block, num_heads: int) -> np.ndarray:
    """The block's part of rows (N, H) as (sentences, heads, T, D): a view, so what is written to it stands in rows."""
    sentences = rows[places].reshape(block.sentences, -1, num_heads, rows.shape[1] // num_heads)
    return sentences.transpose(0, 2, 1, 3)[:, block.heads]


def _blocks(query_lengths: np.ndarray, key_lengths: np.ndarray, num_heads: int) -> Iterator[Block]:
    """Cut the batch into blocks of about _BLOCK_SCORES scores, at least one head of one sentence each."""
    lengths = list(zip(query_lengths.tolist(), key_lengths.tolist(), strict=True))
    query_start = key_start = 0
    for (query_length, key_length), run in itertools.groupby(lengths):
        remaining = len(list(run))
        scores_of_a_head = query_length * key_length
        heads = min(num_heads, max(1, _BLOCK_SCORES // scores_of_a_head))
        most_sentences = max(1, _BLOCK_SCORES // (num_heads * scores_of_a_head))
        while remaining:
            sentences = min(remaining, most_sentences)
            query_rows = slice(query_start, query_start + sentences * query_length)
            key_rows = slice(key_start, key_start + sentences * key_length)
            for first_head in range(0, num_heads, heads):
                those_heads = slice(first_head, first_head + heads)
                yield Block(sentences, query_rows, key_rows, those_heads, scores_of_a_head > _MOST_KEPT_SCORES)
            query_start, key_start, remaining = query_rows.stop, key_rows.stop, remaining - sentences


def _check_lengths(name: str, lengths: np.ndarray, rows: np.ndarray) -> None:
    """Rows that no sentence has would stay without a result."""
    if len(lengths) and lengths.min() < 1:
        raise ValueError(f"{name} holds {lengths.min()}; every sentence needs at least one row")
    if lengths.sum() != len(rows):
        raise ValueError(f"{name} add up to {lengths.sum()}, but there are {len(rows)} rows")
