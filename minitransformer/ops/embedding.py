"""The embedding: row `id` of a table, for each id.

    y_n = table[ids_n]

It is the product of one-hot rows with the table, without the multiplications by zero.

Back: row i of the table collects the gradients of all the places where it was looked up:

    dtable_i = sum of dy_n over the n with ids_n = i

Of the V rows only the U different ones among the ids get a gradient, so the backward returns these alone: which rows,
and their gradients. (`dtable[ids] += dy` would be wrong: NumPy adds a row that is named twice only once.)
Where they are few, as segments and positions are, this is computed as the product that it is, with one-hot columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_FEW_IDS = 64


class EmbeddingCache(NamedTuple):
    ids: np.ndarray  # (N,)


def embedding_forward(table: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, EmbeddingCache]:
    """y (N, H), rows `ids` (N,) of table (V, H), and the cache."""
    return table[ids], EmbeddingCache(ids)


def embedding_backward(dy: np.ndarray, cache: EmbeddingCache) -> tuple[np.ndarray, np.ndarray]:
    """The different ids (U,), sorted, and the gradient (U, H) of each one's row of the table, for dy (N, H)."""
    different_ids, numbers = np.unique(cache.ids, return_inverse=True)
    if len(different_ids) <= _FEW_IDS:
        one_hot = np.zeros((len(dy), len(different_ids)), dy.dtype)
        one_hot[np.arange(len(dy)), numbers] = 1
        return different_ids, one_hot.T @ dy
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(different_ids)))  # where each id's places begin
    return different_ids, np.add.reduceat(dy[order], starts, axis=0)
