"""The pooling layer: from the rows of the tokens to one row for each sentence, in one or several ways."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.nn.module import Module
from minitransformer.ops.pooling import (
    cls_pooling_backward,
    cls_pooling_forward,
    lasttoken_pooling_backward,
    lasttoken_pooling_forward,
    max_pooling_backward,
    max_pooling_forward,
    mean_pooling_backward,
    mean_pooling_forward,
    mean_sqrt_len_pooling_forward,
    weightedmean_pooling_backward,
    weightedmean_pooling_forward,
)

# Forward and backward of each mode.
POOLINGS: dict[str, tuple[Callable[..., tuple[np.ndarray, Any]], Callable[..., np.ndarray]]] = {
    "cls": (cls_pooling_forward, cls_pooling_backward),
    "max": (max_pooling_forward, max_pooling_backward),
    "mean": (mean_pooling_forward, mean_pooling_backward),
    "mean_sqrt_len": (mean_sqrt_len_pooling_forward, mean_pooling_backward),
    "weightedmean": (weightedmean_pooling_forward, weightedmean_pooling_backward),
    "lasttoken": (lasttoken_pooling_forward, lasttoken_pooling_backward),
}


class PoolingCache(NamedTuple):
    modes: list[Any]  # the cache of each


class Pooling(Module):
    """pooled (S, modes H): what each mode makes of hidden (N, H) and lengths (S,), side by side."""

    def __init__(self, modes: tuple[str, ...]) -> None:
        unknown = [mode for mode in modes if mode not in POOLINGS]
        if unknown or not modes:
            raise UserError(f"pooling is one or several of {', '.join(POOLINGS)}; found {unknown or 'none'}")
        self.modes = modes

    def forward(self, hidden: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, PoolingCache]:
        pooled, caches = zip(*(POOLINGS[mode][0](hidden, lengths) for mode in self.modes), strict=True)
        return np.concatenate(pooled, axis=1), PoolingCache(list(caches))

    def backward(self, d_pooled: np.ndarray, cache: PoolingCache) -> np.ndarray:
        modes = zip(self.modes, np.split(d_pooled, len(self.modes), axis=1), cache.modes, strict=True)
        # hidden went into every mode, so their gradients add up.
        return np.sum([POOLINGS[mode][1](part, mode_cache) for mode, part, mode_cache in modes], axis=0)
