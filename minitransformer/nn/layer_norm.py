"""Layer normalisation with its learnt scale and shift."""

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, ones, zeros
from minitransformer.ops.layer_norm import LayerNormCache, layer_norm_backward, layer_norm_forward


class LayerNorm(Module):
    """Rows of x (N, H) to mean 0 and variance 1, times gamma (H,), plus beta (H,)."""

    def __init__(self, size: int, eps: float = 1e-12) -> None:
        self.gamma = Parameter((size,), ones)
        self.beta = Parameter((size,), zeros)
        self.eps = eps

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, LayerNormCache]:
        return layer_norm_forward(x, self.gamma.value, self.beta.value, self.eps)

    def backward(self, dy: np.ndarray, cache: LayerNormCache) -> np.ndarray:
        dx, dgamma, dbeta = layer_norm_backward(dy, cache)
        self.gamma.accumulate(dgamma)
        self.beta.accumulate(dbeta)
        return dx
