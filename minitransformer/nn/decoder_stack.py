"""A stack of decoder layers, all of which look at one source."""

from typing import Any

import numpy as np

from minitransformer.nn.decoder_layer import DecoderLayerCache
from minitransformer.nn.stack import Stack


class DecoderStack(Stack):
    """DecoderLayers one after the other. The source goes into each of them, so its gradients add up."""

    def forward(  # type: ignore[override]
        self,
        x: np.ndarray,
        lengths: np.ndarray,
        source: np.ndarray,
        source_lengths: np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, list[DecoderLayerCache]]:
        """y (N, H) of x (N, H) and the layers' caches; arguments as in DecoderLayer."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, lengths, source, source_lengths, rng)
            caches.append(cache)
        return x, caches

    def backward(self, dy: np.ndarray, caches: list[Any]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[override]
        """Gradients of x (N, H) and source (M, H)."""
        dx, d_sources = dy, []
        for layer, cache in zip(reversed(self.layers), reversed(caches), strict=True):
            dx, d_source = layer.backward(dx, cache)
            d_sources.append(d_source)
        return dx, sum(d_sources)
