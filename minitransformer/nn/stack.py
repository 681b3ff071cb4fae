"""A stack of layers: what every Transformer is made of."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minitransformer.nn.module import Module


class Stack(Module):
    """Layers one after the other on packed rows, such as EncoderLayers. It is also the list of them: stack[0].

    Frozen layers under the first trained one run as in inference, without dropout: no gradient passes them.
    """

    def __init__(self, layers: Sequence[Module]) -> None:
        self.layers = [*layers]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __getitem__(self, i: int) -> Any:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: Sequence[Any] | None = None) -> np.ndarray:
        """y (N, H) of x (N, H); `seen` is what each layer of a decoder has seen, as that layer remembers it."""
        for i, layer in enumerate(self.layers):
            x = layer(x, lengths) if seen is None else layer(x, lengths, seen[i])
        return x

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None, x_is_frozen: bool = False
    ) -> tuple[np.ndarray, list[Any]]:
        """y (N, H) of x (N, H) whose sequences have `lengths` (S,), and the layers' caches; dropout only with an rng.

        x_is_frozen says that nothing under the stack is trained either.
        """
        caches: list[Any] = []
        for layer in self.layers:
            if x_is_frozen and not layer.is_trained:
                x = layer(x, lengths)
                caches.append(None)
            else:
                x_is_frozen = False
                x, cache = layer.forward(x, lengths, rng)
                caches.append(cache)
        return x, caches

    def backward(self, dy: np.ndarray, caches: list[Any]) -> np.ndarray | None:
        """Gradient of x (N, H); None where frozen layers have stopped it."""
        dx: np.ndarray | None = dy
        for layer, cache in zip(reversed(self.layers), reversed(caches), strict=True):
            if cache is None:
                return None
            dx = layer.backward(dx, cache)
        return dx

    def _parts(self) -> Iterator[tuple[str, Any]]:
        return ((str(i), layer) for i, layer in enumerate(self.layers))
