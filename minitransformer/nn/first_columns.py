"""The first columns of a row: what is kept of an embedding that was trained to be cut.

In Matryoshka representations (Kusupati et al. 2022, arXiv 2205.13147) the first columns alone are an embedding.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.module import Module


class FirstColumnsCache(NamedTuple):
    num_columns: int  # of x


class FirstColumns(Module):
    """y (S, K) = the first K columns of x (S, E). Back: dx = dy in these columns, and 0 in the others."""

    def __init__(self, num_columns: int) -> None:
        self.num_columns = num_columns

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, FirstColumnsCache]:
        return x[:, : self.num_columns], FirstColumnsCache(x.shape[1])

    def backward(self, dy: np.ndarray, cache: FirstColumnsCache) -> np.ndarray:
        return np.pad(dy, ((0, 0), (0, cache.num_columns - dy.shape[1])))
