"""Multi-head attention with a bias for each head and pair of places, the same in every sequence:

    scores = q k^T / sqrt(D) + bias

With a bias that depends on j - i alone, token i knows how far each j is from it (Raffel et al. 2020, arXiv 1910.10683,
section 2.1; MPNet, Song et al. 2020, arXiv 2004.09297, has positions as well).

Back, the bias gets what the scores get, from every sequence: dbias = sum over sequences of dscores.

As in ops/multi_head_attention.py, a batch is N rows, its sequences one under the other. Each is attended to by itself.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.attention import AttentionCache, attention_and_scores_backward, attention_forward


class BiasedAttentionCache(NamedTuple):
    sequences: list[tuple[slice, AttentionCache]]
    bias_shape: tuple[int, ...]


def biased_attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    bias: np.ndarray,
    lengths: np.ndarray,
    *,
    dropout_rate: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, BiasedAttentionCache]:
    """y (N, H) of q, k and v (N, H), bias (A, T, T) for the longest of the sequences of `lengths` (S,), and the cache.

    Dropout happens only with an rng.
    """
    num_heads, sequences = len(bias), []
    y = np.empty(q.shape, q.dtype)
    for rows in _sequences(lengths):
        length = rows.stop - rows.start
        parts = (_heads(x[rows], num_heads) for x in (q, k, v))
        of_length = bias[:, :length, :length]
        y_heads, cache = attention_forward(*parts, bias=of_length, dropout_rate=dropout_rate, rng=rng)
        _heads(y[rows], num_heads)[...] = y_heads
        sequences.append((rows, cache))
    return y, BiasedAttentionCache(sequences, bias.shape)


def biased_attention_backward(
    dy: np.ndarray, cache: BiasedAttentionCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of q, k and v (N, H) and bias (A, T, T) for dy (N, H)."""
    num_heads = cache.bias_shape[0]
    dq, dk, dv = (np.empty(dy.shape, dy.dtype) for _ in range(3))
    dbias = np.zeros(cache.bias_shape, dy.dtype)
    for rows, attention_cache in cache.sequences:
        *gradients, dscores = attention_and_scores_backward(_heads(dy[rows], num_heads), attention_cache)
        for whole, gradient in zip((dq, dk, dv), gradients, strict=True):
            _heads(whole[rows], num_heads)[...] = gradient
        dbias[:, : dscores.shape[1], : dscores.shape[2]] += dscores
    return dq, dk, dv, dbias


def _sequences(lengths: np.ndarray) -> list[slice]:
    ends = np.cumsum(lengths)
    return [slice(start, end) for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]


def _heads(x: np.ndarray, num_heads: int) -> np.ndarray:
    """x (T, H) as (A, T, D): a view, so that one can write to x through it."""
    return x.reshape(len(x), num_heads, -1).swapaxes(0, 1)
