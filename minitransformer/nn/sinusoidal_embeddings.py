"""The input of the original Transformer: what the token is, and waves that say where it stands."""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.embedding import EmbeddingCache

LONGEST_WAVE = 10000  # positions for each radian of the slowest wave


class SinusoidalEmbeddingsCache(NamedTuple):
    token: EmbeddingCache
    dropout: DropoutCache


class SinusoidalEmbeddings(Module):
    """y = dropout(sqrt(H) token + sinusoids(position)), a row for each token (Vaswani et al. 2017, 3.4 and 3.5).

    Numbers of the table are about 1 / sqrt(H), since it is the vocabulary head's too; times sqrt(H) they are as large
    as the waves. Positions have nothing to learn.
    """

    def __init__(self, vocab_size: int, size: int, dropout: float) -> None:
        self.token = Embedding(vocab_size, size)
        self.scale = math.sqrt(size)
        self.dropout = dropout

    def forward(
        self, token_ids: np.ndarray, position_ids: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, SinusoidalEmbeddingsCache]:
        """y (N, H) of two ids (N,) for each row; dropout happens only with an rng."""
        x, token_cache = self.token.forward(token_ids)
        positions, places = np.unique(position_ids, return_inverse=True)
        waves = sinusoids(positions, x.shape[1]).astype(x.dtype)
        y, dropout_cache = dropout_forward(self.scale * x + waves[places], self.dropout, rng)
        return y, SinusoidalEmbeddingsCache(token_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: SinusoidalEmbeddingsCache) -> None:
        """Adds to the table's gradient; ids and positions have none."""
        self.token.backward(self.scale * dropout_backward(dy, cache.dropout), cache.token)


def sinusoids(positions: np.ndarray, size: int) -> np.ndarray:
    """(T, size) in float64 of positions (T,): sines in the first half of the columns, cosines in the second.

        sin(position / 10000^(2i / size)) in column i,   cos of the same in column size / 2 + i

    The paper has sine and cosine of a wave side by side; Marian and transformers put the halves one after the other,
    and weights that were trained with one order mean nothing in the other.

    >>> sinusoids(np.array([0, 1]), 4).round(4)
    array([[0.    , 0.    , 1.    , 1.    ],
           [0.8415, 0.01  , 0.5403, 1.    ]])
    """
    num_waves = -(-size // 2)
    angles = positions[:, None] * LONGEST_WAVE ** (-2 * np.arange(num_waves) / size)
    return np.hstack([np.sin(angles), np.cos(angles[:, : size // 2])])
