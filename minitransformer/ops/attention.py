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

Many sentences, many heads (section 3.2.2): a batch is N rows, its S sentences one under the other (`lengths` says where
each ends), of H columns, and head a owns columns a D .. (a + 1) D of q, k and v; k and v have M rows, which in
self-attention is N. Each head of each sentence attends for itself, so

    y[rows of s, columns of a] = attention(q[rows of s, columns of a], k[...], v[...])

This is the only operation that mixes tokens, and no sentence sees another. Sentences of equal length that stand one
after the other go through as one stack (sentences, heads, T, D), in blocks whose scores stay in cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from minitransformer.ops.dropout import dropout_mask
from minitransformer.ops.rows import row_sums
from minitransformer.ops.softmax import softmax_forward

_BLOCK_SCORES = 2**18  # 1 MiB of scores in float32, for the reasons in ops/rows.py
MASKED_SCORE = -1e9  # finite, so that softmax never meets inf - inf; exp of it is exactly 0


class AttentionCache(NamedTuple):
    q: np.ndarray  # (..., T, D), already scaled
    k: np.ndarray  # (..., U, D)
    v: np.ndarray  # (..., U, D)
    y: np.ndarray  # (..., T, D)
    weights: np.ndarray  # (..., T, U), softmax's
    kept_weights: np.ndarray  # (..., T, U), after dropout; the same array without dropout
    scale: float


class Block(NamedTuple):
    """Some sentences of equal length that stand one after the other, and some of the heads."""

    sentences: int
    query_rows: slice
    key_rows: slice
    heads: slice


class MultiHeadAttentionCache(NamedTuple):
    blocks: list[tuple[Block, AttentionCache]]
    num_heads: int
    num_keys: int  # M, the rows of k and v


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
    q = q * scale
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
    """y (N, H), as multi_head_attention_forward gives it: the forward alone, for inference."""
    _check_lengths("query_lengths", query_lengths, q)
    _check_lengths("key_lengths", key_lengths, k)
    y = np.empty(q.shape, q.dtype)
    for block in _blocks(query_lengths, key_lengths, num_heads):
        q_block, y_block = (_heads(rows, block.query_rows, block, num_heads) for rows in (q, y))
        k_block, v_block = (_heads(rows, block.key_rows, block, num_heads) for rows in (k, v))
        attention_forward(q_block, k_block, v_block, causal=causal, out=y_block)
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
    _check_lengths("query_lengths", query_lengths, q)
    _check_lengths("key_lengths", key_lengths, k)
    y = np.empty(q.shape, q.dtype)
    blocks = []
    for block in _blocks(query_lengths, key_lengths, num_heads):
        q_block, y_block = (_heads(rows, block.query_rows, block, num_heads) for rows in (q, y))
        k_block, v_block = (_heads(rows, block.key_rows, block, num_heads) for rows in (k, v))
        _, cache = attention_forward(
            q_block, k_block, v_block, causal=causal, dropout_rate=dropout_rate, rng=rng, out=y_block
        )
        blocks.append((block, cache))
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
        attention_backward(dy_block, block_cache, out=(dq_block, dk_block, dv_block))
    return dq, dk, dv


def _heads(rows: np.ndarray, places: slice, block: Block, num_heads: int) -> np.ndarray:
    """The block's part of rows (N, H) as a view (sentences, heads, T, D)."""
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
                yield Block(sentences, query_rows, key_rows, slice(first_head, first_head + heads))
            query_start, key_start, remaining = query_rows.stop, key_rows.stop, remaining - sentences


def _check_lengths(name: str, lengths: np.ndarray, rows: np.ndarray) -> None:
    """Rows that no sentence has would stay without a result."""
    if len(lengths) and lengths.min() < 1:
        raise ValueError(f"{name} holds {lengths.min()}; every sentence needs at least one row")
    if lengths.sum() != len(rows):
        raise ValueError(f"{name} add up to {lengths.sum()}, but there are {len(rows)} rows")


def future_keys(num_queries: int, num_keys: int) -> np.ndarray:
    """(T, U), True where causal attention hides key j from query i: j > i + U - T."""
    if num_keys < num_queries:
        raise ValueError(f"causal attention of {num_queries} queries needs as many keys at least, found {num_keys}")
    return ~np.tri(num_queries, num_keys, num_keys - num_queries, dtype=bool)
