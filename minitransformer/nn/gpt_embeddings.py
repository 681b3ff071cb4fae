"""GPT's input: what the token is and its position, added up."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.embedding import EmbeddingCache


class GptEmbeddingsCache(NamedTuple):
    token: EmbeddingCache
    position: EmbeddingCache
    dropout: DropoutCache


class GptEmbeddings(Module):
    """y = dropout(token + position), a row for each token (Radford et al. 2018, section 3.1, h_0 of equation 2)."""

    def __init__(self, vocab_size: int, positions: int, size: int, dropout: float) -> None:
        self.token = Embedding(vocab_size, size)
        self.position = Embedding(positions, size)
        self.dropout = dropout

    def forward(
        self, token_ids: np.ndarray, position_ids: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, GptEmbeddingsCache]:
        """y (N, H) of two ids (N,) for each row; dropout happens only with an rng."""
        x, token_cache = self.token.forward(token_ids)
        positions, position_cache = self.position.forward(position_ids)
        y, dropout_cache = dropout_forward(x + positions, self.dropout, rng)
        return y, GptEmbeddingsCache(token_cache, position_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: GptEmbeddingsCache) -> None:
        """Adds to the tables' gradients; ids have none."""
        d_sum = dropout_backward(dy, cache.dropout)
        self.token.backward(d_sum, cache.token)
        self.position.backward(d_sum, cache.position)
