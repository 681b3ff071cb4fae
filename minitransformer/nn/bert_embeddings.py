"""BERT's input: what the token is, which text it is in, and its position, added up."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.embedding import EmbeddingCache
from minitransformer.ops.layer_norm import LayerNormCache


class BertEmbeddingsCache(NamedTuple):
    token: EmbeddingCache
    segment: EmbeddingCache | None
    position: EmbeddingCache
    norm: LayerNormCache
    dropout: DropoutCache


class BertEmbeddings(Module):
    """y = dropout(norm(token + segment + position)), a row for each token (Devlin et al. 2018, figure 2).

    A model that isn't told of segments has 0 of them, and no table for them.
    """

    def __init__(
        self, vocab_size: int, segments: int, positions: int, size: int, eps: float, dropout: float, init_std: float
    ) -> None:
        self.token = Embedding(vocab_size, size, init_std)
        self.segment = Embedding(segments, size, init_std) if segments else None
        self.position = Embedding(positions, size, init_std)
        self.norm = LayerNorm(size, eps)
        self.dropout = dropout

    def forward(
        self,
        token_ids: np.ndarray,
        segment_ids: np.ndarray,
        position_ids: np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, BertEmbeddingsCache]:
        """y (N, H) of three ids (N,) for each row; dropout happens only with an rng."""
        x, token_cache = self.token.forward(token_ids)
        positions, position_cache = self.position.forward(self.position_ids(token_ids, position_ids))
        segment_cache = None
        if self.segment is not None:
            segments, segment_cache = self.segment.forward(segment_ids)
            x = x + segments
        y, norm_cache = self.norm.forward(x + positions)
        y, dropout_cache = dropout_forward(y, self.dropout, rng)
        return y, BertEmbeddingsCache(token_cache, segment_cache, position_cache, norm_cache, dropout_cache)

    def position_ids(self, token_ids: np.ndarray, position_ids: np.ndarray) -> np.ndarray:
        """The rows of the table of positions, for places 0, 1, 2 ... in each sequence: here these themselves."""
        return position_ids

    def backward(self, dy: np.ndarray, cache: BertEmbeddingsCache) -> None:
        """Adds to the tables' gradients; ids have none."""
        d_sum = self.norm.backward(dropout_backward(dy, cache.dropout), cache.norm)
        # Each of the three summands reaches the sum unchanged, so each gets the sum's gradient.
        self.token.backward(d_sum, cache.token)
        if self.segment is not None and cache.segment is not None:
            self.segment.backward(d_sum, cache.segment)
        self.position.backward(d_sum, cache.position)
