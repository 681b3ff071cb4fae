"""The feed-forward network of a layer: each row for itself, wide in the middle."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.linear import LinearCache


class FeedForwardCache(NamedTuple):
    inner: DenseCache
    outer: LinearCache
    dropout: DropoutCache


class FeedForward(Module):
    """y = dropout(activation(x W_1 + b_1) W_2 + b_2), H to F to H (Vaswani et al. 2017, 3.3).

    The activation is ReLU in the original Transformer and GELU in BERT and GPT.
    """

    def __init__(
        self, hidden_size: int, intermediate_size: int, activation: str, dropout: float, init_std: float = 0.02
    ) -> None:
        self.inner = Dense(hidden_size, intermediate_size, activation, init_std)
        self.outer = Linear(intermediate_size, hidden_size, init_std)
        self.dropout = dropout

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.outer(self.inner(x))

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, FeedForwardCache]:
        """y (N, H) of x (N, H); dropout happens only with an rng."""
        x, inner_cache = self.inner.forward(x, rng)
        x, outer_cache = self.outer.forward(x, rng)
        y, dropout_cache = dropout_forward(x, self.dropout, rng)
        return y, FeedForwardCache(inner_cache, outer_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: FeedForwardCache) -> np.ndarray:
        dx = dropout_backward(dy, cache.dropout)
        dx = self.outer.backward(dx, cache.outer)
        return self.inner.backward(dx, cache.inner)
