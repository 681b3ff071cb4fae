"""The feed-forward network of an encoder layer: each row for itself, wide in the middle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.activation import Activation
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.linear import LinearCache


class FeedForwardCache(NamedTuple):
    inner: LinearCache
    activation: Any
    outer: LinearCache
    dropout: DropoutCache


class FeedForward(Module):
    """y = dropout(activation(x W_1 + b_1) W_2 + b_2), H to F to H (Vaswani et al. 2017, 3.3).

    The activation is ReLU in the original Transformer and GELU in BERT.
    """

    def __init__(
        self,
        hidden_size: int,
        intermediate_size: int,
        activation: Activation,
        dropout: float,
        init_std: float = 0.02,
    ) -> None:
        self.inner = Linear(hidden_size, intermediate_size, init_std)
        self.outer = Linear(intermediate_size, hidden_size, init_std)
        self.activation = activation
        self.dropout = dropout

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = self.inner(x)
        return self.outer(self.activation.function(x))

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, FeedForwardCache]:
        """y (N, H) of x (N, H); dropout happens only with an rng."""
        x, inner = self.inner.forward(x)
        x, activation = self.activation.forward(x)
        x, outer = self.outer.forward(x)
        y, dropout = dropout_forward(x, self.dropout, rng)
        return y, FeedForwardCache(inner, activation, outer, dropout)

    def backward(self, dy: np.ndarray, cache: FeedForwardCache) -> np.ndarray:
        dx = dropout_backward(dy, cache.dropout)
        dx = self.outer.backward(dx, cache.outer)
        dx = self.activation.backward(dx, cache.activation)
        return self.inner.backward(dx, cache.inner)
