"""The embedding: row `id` of a table, for each id.

    y_n = table[ids_n]

It is the product of one-hot rows with the table, without the multiplications by zero.

Back: row i of the table collects the gradients of all the places where it was looked up:

    dtable_i = sum of dy_n over the n with ids_n = i

Of the V rows only the R different ones among the ids get a gradient, so the backward returns these alone: which rows,
and their gradients. (`dtable[ids] += dy` would be wrong: NumPy adds a row that is named twice only once.)
It too is a product with one-hot columns, onehot^T dy, and SciPy's sparse matrices leave out the zeros.
"""

from typing import NamedTuple

import numpy as np


class EmbeddingCache(NamedTuple):
    ids: np.ndarray  # (N,)


def embedding_forward(table: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, EmbeddingCache]:
    """y (N, H), rows `ids` (N,) of table (V, H), and the cache."""
    return table[ids], EmbeddingCache(ids)


def embedding_backward(dy: np.ndarray, cache: EmbeddingCache) -> tuple[np.ndarray, np.ndarray]:
    """The different ids (R,), sorted, and the gradient (R, H) of each one's row of the table, for dy (N, H)."""
    from scipy.sparse import csc_array

    different_ids, numbers = np.unique(cache.ids, return_inverse=True)
    ones = np.ones(len(dy), dy.dtype)
    # Column n of onehot^T (R, N) has a single 1, in the row of the id at place n.
    one_hot_columns = csc_array((ones, numbers, np.arange(len(dy) + 1)), shape=(len(different_ids), len(dy)))
    return different_ids, one_hot_columns @ dy
