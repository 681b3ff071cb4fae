"""BERT's pooler: one row for each sentence, made of its [CLS] row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.tanh import TanhCache, tanh_backward, tanh_forward


class PoolerCache(NamedTuple):
    dense: LinearCache
    tanh: TanhCache


class Pooler(Module):
    """pooled = tanh(x W + b) for the first rows x (S, H) of S sentences."""

    def __init__(self, size: int, init_std: float = 0.02) -> None:
        self.dense = Linear(size, size, init_std)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, PoolerCache]:
        x, dense = self.dense.forward(x)
        pooled, tanh = tanh_forward(x)
        return pooled, PoolerCache(dense, tanh)

    def backward(self, d_pooled: np.ndarray, cache: PoolerCache) -> np.ndarray:
        dx = tanh_backward(d_pooled, cache.tanh)
        return self.dense.backward(dx, cache.dense)
