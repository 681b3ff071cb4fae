"""A recurrence's input: what the token is. Where it stands, the recurrence knows by itself."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Normal
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.embedding import EmbeddingCache


class WordEmbeddingsCache(NamedTuple):
    token: EmbeddingCache
    dropout: DropoutCache


class WordEmbeddings(Module):
    """y = dropout(token), a row for each token; init_std is the deviation of the table's first numbers."""

    def __init__(self, vocab_size: int, size: int, dropout: float, init_std: float) -> None:
        self.token = Embedding(vocab_size, size)
        self.token.table.initialiser = Normal(init_std)
        self.dropout = dropout

    def forward(
        self, token_ids: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, WordEmbeddingsCache]:
        """y (N, size) of ids (N,), and the cache; dropout happens only with an rng."""
        x, token_cache = self.token.forward(token_ids)
        y, dropout_cache = dropout_forward(x, self.dropout, rng)
        return y, WordEmbeddingsCache(token_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: WordEmbeddingsCache) -> None:
        """Adds to the table's gradient; ids have none."""
        self.token.backward(dropout_backward(dy, cache.dropout), cache.token)
