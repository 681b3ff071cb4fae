"""The dense layer: a linear layer and an activation."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.activation import ACTIVATIONS
from minitransformer.nn.linear import Linear
from minitransformer.ops.linear import LinearCache


class DenseCache(NamedTuple):
    linear: LinearCache
    activation: Any


class Dense(Linear):
    """y = activation(x W + b) for x (N, in) and y (N, out); `activation` is a name in nn/activation.py.

    With tanh, on the rows of [CLS], it is BERT's pooler.
    """

    def __init__(self, in_size: int, out_size: int, activation: str, init_std: float = 0.02) -> None:
        super().__init__(in_size, out_size, init_std)
        self.activation = activation

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return ACTIVATIONS[self.activation].function(super().forward(x)[0])

    def forward(  # type: ignore[override]
        self, x: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, DenseCache]:
        x, linear_cache = super().forward(x, rng)
        y, activation_cache = ACTIVATIONS[self.activation].forward(x)
        return y, DenseCache(linear_cache, activation_cache)

    def backward(self, dy: np.ndarray, cache: DenseCache) -> np.ndarray:  # type: ignore[override]
        dx = ACTIVATIONS[self.activation].backward(dy, cache.activation)
        return super().backward(dx, cache.linear)
