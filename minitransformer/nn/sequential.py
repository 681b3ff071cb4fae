"""Layers one after the other."""

from typing import Any

import numpy as np

from minitransformer.nn.module import Module


class Sequential(Module):
    """y = last(...(first(x))); with no layers, y is x."""

    def __init__(self, layers: list[Module]) -> None:
        self.layers = layers

    def __call__(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, list[Any]]:
        """y, and the cache of each layer."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            caches.append(cache)
        return x, caches

    def backward(self, dy: np.ndarray, caches: list[Any]) -> np.ndarray:
        for layer, cache in zip(reversed(self.layers), reversed(caches), strict=True):
            dy = layer.backward(dy, cache)
        return dy
