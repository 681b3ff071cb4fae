"""L2 normalisation as a layer; it has nothing to learn."""

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.ops.normalise import NormaliseCache, normalise_backward, normalise_forward


class Normalise(Module):
    """Rows of x (S, H) scaled to length 1."""

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, NormaliseCache]:
        return normalise_forward(x)

    def backward(self, dx_hat: np.ndarray, cache: NormaliseCache) -> np.ndarray:
        return normalise_backward(dx_hat, cache)
