"""Multi-head attention: each head of each sequence of a batch attends for itself.

Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.2.

A batch is N rows of H columns, its S sequences one under the other, and a head is D = H / A columns. So this is

    for rows in sequences:            # a slice of the N rows for each
        for columns in heads:         # a slice of the H columns for each
            part = rows, columns
            y[part], _ = attention_forward(q[part], k[part], v[part])

with the attention of ops/attention.py, and backwards the same. It is the only operation that mixes tokens, and no
sequence sees another. Where keys and values come from other sequences than the queries, they have M rows of their own.

The code takes larger steps through the same loop: neighbouring sequences of equal length are attended to in one stack
(sequences, heads, T, D). A stack is cut into blocks whose scores stay in the processor's fast memory (ops/blocks.py).

The weights (T, T) of each head are kept for the backward. In sequences of more than 1,024 tokens they are computed
again (ops/recomputed_attention.py): memory then grows with T instead of T^2, and time by up to a third.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitransformer.ops.attention import AttentionCache, attention_backward, attention_forward
from minitransformer.ops.blocks import BLOCK_ELEMENTS
from minitransformer.ops.recomputed_attention import (
    RecomputedAttentionCache,
    recomputed_attention_backward,
    recomputed_attention_forward,
)

MOST_KEPT_SCORES = 2**20  # of a head of a sequence: 1,024 tokens that all see each other


class Block(NamedTuple):
    """Some heads of neighbouring sequences of equal length."""

    num_sequences: int
    queries: slice  # their rows of q and y
    keys: slice  # their rows of k and v
    heads: slice
    is_long: bool  # whether the backward computes the weights again


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
    """y (N, H) as multi_head_attention_forward gives it, for inference: no weights are kept."""
    y = np.empty(q.shape, q.dtype)
    for block, y_block, _ in _attend_in_blocks(q, k, v, query_lengths, key_lengths, num_heads, causal=causal):
        _stack(y, block.queries, block, num_heads)[...] = y_block
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

    query_lengths and key_lengths (S,) cut the rows of q, and those of k and v, into the same S sequences; they are the
    same array in self-attention. H must be a multiple of num_heads. Dropout happens only with an rng.
    Raises ValueError if a length is below 1 or the lengths don't add up to the rows.
    """
    y, blocks = np.empty(q.shape, q.dtype), []
    options = {"causal": causal, "dropout_rate": dropout_rate, "rng": rng}
    for block, y_block, cache in _attend_in_blocks(q, k, v, query_lengths, key_lengths, num_heads, **options):
        _stack(y, block.queries, block, num_heads)[...] = y_block
        blocks.append((block, cache))
    return y, MultiHeadAttentionCache(blocks, num_heads, len(k))


def multi_head_attention_backward(
    dy: np.ndarray, cache: MultiHeadAttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q (N, H), k and v (M, H) for dy (N, H)."""
    blocks, num_heads, num_keys = cache
    dq, dk, dv = (np.empty((num_rows, dy.shape[1]), dy.dtype) for num_rows in (len(dy), num_keys, num_keys))
    for block, block_cache in blocks:
        backward: Any = recomputed_attention_backward if block.is_long else attention_backward
        dq_block, dk_block, dv_block = backward(_stack(dy, block.queries, block, num_heads), block_cache)
        _stack(dq, block.queries, block, num_heads)[...] = dq_block
        _stack(dk, block.keys, block, num_heads)[...] = dk_block
        _stack(dv, block.keys, block, num_heads)[...] = dv_block
    return dq, dk, dv


def _attend_in_blocks(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    query_lengths: np.ndarray,
    key_lengths: np.ndarray,
    num_heads: int,
    **options: Any,
) -> Iterator[tuple[Block, np.ndarray, AttentionCache | RecomputedAttentionCache]]:
    """Each block with its y (sequences, heads, T, D) and its cache. `options` are attention_forward's."""
    _check_lengths("query_lengths", query_lengths, q)
    _check_lengths("key_lengths", key_lengths, k)
    for block in _blocks(query_lengths, key_lengths, num_heads):
        forward: Any = recomputed_attention_forward if block.is_long else attention_forward
        q_block = _stack(q, block.queries, block, num_heads)
        k_block, v_block = (_stack(x, block.keys, block, num_heads) for x in (k, v))
        yield block, *forward(q_block, k_block, v_block, **options)


def _stack(x: np.ndarray, rows: slice, block: Block, num_heads: int) -> np.ndarray:
    """The block's part of x (N, H) as (sequences, heads, T, D): a view, so that one can write to x through it."""
    part = x[rows].reshape(block.num_sequences, -1, num_heads, x.shape[1] // num_heads)
    return part.swapaxes(1, 2)[:, block.heads]


def _blocks(query_lengths: np.ndarray, key_lengths: np.ndarray, num_heads: int) -> Iterator[Block]:
    """Cut the batch into blocks of at most BLOCK_ELEMENTS scores, or of one head of one sequence if that has more."""
    first_query = first_key = 0
    lengths = zip(query_lengths.tolist(), key_lengths.tolist(), strict=True)
    for (num_queries, num_keys), equal in itertools.groupby(lengths):
        remaining, scores_of_a_head = len(list(equal)), num_queries * num_keys
        heads_at_once = max(1, BLOCK_ELEMENTS // scores_of_a_head)
        sequences_at_once = max(1, heads_at_once // num_heads)
        while remaining:
            num_sequences = min(remaining, sequences_at_once)
            queries = slice(first_query, first_query + num_sequences * num_queries)
            keys = slice(first_key, first_key + num_sequences * num_keys)
            for head in range(0, num_heads, heads_at_once):
                heads = slice(head, head + heads_at_once)
                yield Block(num_sequences, queries, keys, heads, scores_of_a_head > MOST_KEPT_SCORES)
            first_query, first_key, remaining = queries.stop, keys.stop, remaining - num_sequences


def _check_lengths(name: str, lengths: np.ndarray, x: np.ndarray) -> None:
    """Rows that belong to no sequence would have no result."""
    if len(lengths) and lengths.min() < 1:
        raise ValueError(f"{name} holds {lengths.min()}; every sequence needs at least one row")
    if lengths.sum() != len(x):
        raise ValueError(f"{name} add up to {lengths.sum()}, but there are {len(x)} rows")
