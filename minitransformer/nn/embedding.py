"""The embedding layer: a table with a row for each id."""

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, TruncatedNormal
from minitransformer.ops.embedding import EmbeddingCache, embedding_backward, embedding_forward


class Embedding(Module):
    """y (N, H): for each of ids (N,) its row of table (V, H)."""

    def __init__(self, num_ids: int, size: int, init_std: float = 0.02) -> None:
        self.table = Parameter((num_ids, size), TruncatedNormal(init_std))

    def forward(self, ids: np.ndarray) -> tuple[np.ndarray, EmbeddingCache]:
        return embedding_forward(self.table.value, ids)

    def backward(self, dy: np.ndarray, cache: EmbeddingCache) -> None:
        """Adds to the table's gradient; ids have none."""
        different_ids, drows = embedding_backward(dy, cache)
        if self.table.trained:
            self.table.grad[different_ids] += drows  # += is safe here: no id is there twice
