"""Pooling: from the rows of a sequence's tokens to one row for the sequence.

Reimers, Gurevych 2019 (arXiv 1908.10084), section 3. With h_1 ... h_T the rows of one sequence:

    cls             y = h_1                     the row of [CLS]
    mean            y = sum_t h_t / T
    mean_sqrt_len   y = sum_t h_t / sqrt(T)     keeps the length of a sum of independent rows
    max             y_k = max_t h_tk            each column for itself
    lasttoken       y = h_T                     what a decoder knows of the whole
    weightedmean    y = sum_t w_t h_t           w_t = t / (1 + ... + T): in a decoder, later tokens have seen more
                                                (Muennighoff 2022, 2202.08904)

Back, with dy the gradient of y:

    cls             dh_1 = dy, and 0 for the others
    mean            dh_t = dy / T               each row entered the sum once
    mean_sqrt_len   dh_t = dy / sqrt(T)
    lasttoken       dh_T = dy, and 0 for the others
    weightedmean    dh_t = w_t dy
    max             dh_tk = dy_k for the row t that is the maximum of column k, and 0 for the others

Where rows tie for the maximum, the first gets the gradient.

[CLS] and [SEP] are rows like the others, as in sentence-transformers.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sequences import reduce_sequences, starts_of


class ClsPoolingCache(NamedTuple):
    lengths: np.ndarray  # (S,)


class MeanPoolingCache(NamedTuple):
    lengths: np.ndarray  # (S,)
    divisors: np.ndarray  # (S, 1), the lengths or their square roots


class LastTokenPoolingCache(NamedTuple):
    lengths: np.ndarray  # (S,)


class WeightedMeanPoolingCache(NamedTuple):
    lengths: np.ndarray  # (S,)
    weights: np.ndarray  # (N, 1)


class MaxPoolingCache(NamedTuple):
    hidden: np.ndarray  # (N, H)
    lengths: np.ndarray  # (S,)


def cls_pooling_forward(hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ClsPoolingCache]:
    """y (S, H), the first row of each sequence, of hidden (N, H) and lengths (S,), and the cache."""
    return hidden[starts_of(lengths)], ClsPoolingCache(lengths)


def cls_pooling_backward(dy: np.ndarray, cache: ClsPoolingCache) -> np.ndarray:
    """Gradient of hidden (N, H) for dy (S, H)."""
    d_hidden = np.zeros((cache.lengths.sum(), dy.shape[1]), dy.dtype)
    d_hidden[starts_of(cache.lengths)] = dy
    return d_hidden


def mean_pooling_forward(hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, MeanPoolingCache]:
    """y (S, H), the mean of each sequence's rows, of hidden (N, H) and lengths (S,), and the cache."""
    return _divide_sums(hidden, lengths, lengths.astype(hidden.dtype)[:, None])


def mean_sqrt_len_pooling_forward(hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, MeanPoolingCache]:
    """y (S, H), the sum of each sequence's rows over sqrt(T), of hidden (N, H) and lengths (S,), and the cache."""
    return _divide_sums(hidden, lengths, np.sqrt(lengths.astype(hidden.dtype))[:, None])


def mean_pooling_backward(dy: np.ndarray, cache: MeanPoolingCache) -> np.ndarray:
    """Gradient of hidden (N, H) for dy (S, H), of both means."""
    return np.repeat(dy / cache.divisors, cache.lengths, axis=0)


def max_pooling_forward(hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, MaxPoolingCache]:
    """y (S, H), the largest of each sequence's rows by column, of hidden (N, H) and lengths (S,), and the cache."""
    return reduce_sequences(np.maximum, hidden, lengths), MaxPoolingCache(hidden, lengths)


def max_pooling_backward(dy: np.ndarray, cache: MaxPoolingCache) -> np.ndarray:
    """Gradient of hidden (N, H) for dy (S, H)."""
    hidden, lengths = cache
    d_hidden = np.zeros_like(hidden)
    columns = np.arange(hidden.shape[1])
    for start, length, dy_of_sequence in zip(starts_of(lengths), lengths, dy, strict=True):
        first_largest = hidden[start : start + length].argmax(axis=0)
        d_hidden[start + first_largest, columns] = dy_of_sequence
    return d_hidden


def lasttoken_pooling_forward(hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, LastTokenPoolingCache]:
    """y (S, H), the last row of each sequence, of hidden (N, H) and lengths (S,), and the cache."""
    return hidden[np.cumsum(lengths) - 1], LastTokenPoolingCache(lengths)


def lasttoken_pooling_backward(dy: np.ndarray, cache: LastTokenPoolingCache) -> np.ndarray:
    """Gradient of hidden (N, H) for dy (S, H)."""
    d_hidden = np.zeros((cache.lengths.sum(), dy.shape[1]), dy.dtype)
    d_hidden[np.cumsum(cache.lengths) - 1] = dy
    return d_hidden


def weightedmean_pooling_forward(
    hidden: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, WeightedMeanPoolingCache]:
    """y (S, H), the mean of each sequence's rows, later ones counting more, of hidden (N, H) and lengths (S,)."""
    places = np.arange(1, len(hidden) + 1) - np.repeat(starts_of(lengths), lengths)
    weights = (places / np.repeat(lengths * (lengths + 1) / 2, lengths)).astype(hidden.dtype)[:, None]
    return reduce_sequences(np.add, weights * hidden, lengths), WeightedMeanPoolingCache(lengths, weights)


def weightedmean_pooling_backward(dy: np.ndarray, cache: WeightedMeanPoolingCache) -> np.ndarray:
    """Gradient of hidden (N, H) for dy (S, H)."""
    return cache.weights * np.repeat(dy, cache.lengths, axis=0)


def _divide_sums(hidden: np.ndarray, lengths: np.ndarray, divisors: np.ndarray) -> tuple[np.ndarray, MeanPoolingCache]:
    return reduce_sequences(np.add, hidden, lengths) / divisors, MeanPoolingCache(lengths, divisors)
