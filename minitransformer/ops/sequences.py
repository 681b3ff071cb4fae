"""Rows that `lengths` (S,) cut into sequences: where each begins, its rows, and what they come to together."""

import numpy as np


def starts_of(lengths: np.ndarray) -> np.ndarray:
    """(S,): the first row of each sequence."""
    return np.cumsum(lengths) - lengths


def rows_in_order(lengths: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The rows of the sequences `order`, one sequence after the other.

    >>> rows_in_order(np.array([2, 3]), np.array([1, 0]))
    array([2, 3, 4, 0, 1])
    """
    chosen = lengths[order]
    return np.repeat(starts_of(lengths)[order] - starts_of(chosen), chosen) + np.arange(chosen.sum())


def reduce_sequences(operation: np.ufunc, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(S, H): the rows of each sequence of x (N, H), of which it has at least one, reduced to one by the operation."""
    return operation.reduceat(x, starts_of(lengths), axis=0) if len(lengths) else x[:0]
