"""The face of an encoder: whatever turns tokens into a row for each."""

from typing import Any

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.text.packed_tokens import PackedTokens


class Encoder(Module):
    """hidden (N, H) of N tokens. Pooling, classifiers, objectives, search and evaluation take any encoder."""

    hidden_size: int

    def hidden(self, tokens: PackedTokens) -> np.ndarray:
        """hidden (N, H) for inference: no dropout, no cache."""
        return self.hidden_forward(tokens)[0]

    def hidden_forward(self, tokens: PackedTokens, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """hidden (N, H), and the cache. Dropout happens only with an rng."""
        raise NotImplementedError

    def hidden_backward(self, d_hidden: np.ndarray, cache: Any) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H)."""
        raise NotImplementedError
