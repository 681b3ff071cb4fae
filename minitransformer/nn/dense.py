"""The dense layer: a linear layer and an activation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.activation import ACTIVATIONS
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.linear import LinearCache


class DenseCache(NamedTuple):
    linear: LinearCache
    activation: Any


class Dense(Module):
    """y = activation(x W + b) for x (N, in) and y (N, out); `activation` is a name of nn/activation.py."""

    def __init__(self, in_size: int, out_size: int, activation: str, init_std: float = 0.02) -> None:
        self.linear = Linear(in_size, out_size, init_std)
        self.activation = activation

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, DenseCache]:
        x, linear = self.linear.forward(x)
        y, activation = ACTIVATIONS[self.activation].forward(x)
        return y, DenseCache(linear, activation)

    def backward(self, dy: np.ndarray, cache: DenseCache) -> np.ndarray:
        dx = ACTIVATIONS[self.activation].backward(dy, cache.activation)
        return self.linear.backward(dx, cache.linear)
