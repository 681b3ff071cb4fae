"""The linear layer: y = x W + b."""

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, TruncatedNormal, zeros
from minitransformer.ops.linear import LinearCache, linear_backward, linear_forward


class Linear(Module):
    """y = x W + b with weight (in, out) and bias (out,), for x (N, in) and y (N, out)."""

    def __init__(self, in_size: int, out_size: int, init_std: float = 0.02) -> None:
        self.weight = Parameter((in_size, out_size), TruncatedNormal(init_std))
        self.bias = Parameter((out_size,), zeros)

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, LinearCache]:
        """y, and the cache. The rng is for layers made from this one that have dropout (nn/lora.py)."""
        return linear_forward(x, self.weight.value, self.bias.value)

    def backward(self, dy: np.ndarray, cache: LinearCache) -> np.ndarray:
        if not (self.weight.trained or self.bias.trained):
            return dy @ cache.weight.T  # as linear_backward has it, without the product that nobody asks for
        dx, dweight, dbias = linear_backward(dy, cache)
        self.weight.accumulate(dweight)
        self.bias.accumulate(dbias)
        return dx
