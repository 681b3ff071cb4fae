"""The face of an objective: one number for a batch of sentence embeddings, and its gradient."""

from typing import Any, Protocol

import numpy as np


class Objective(Protocol):
    def forward(self, embeddings: tuple[np.ndarray, ...], targets: Any) -> tuple[float, Any]:
        """The loss of the batch, and the cache."""

    def backward(self, cache: Any) -> tuple[np.ndarray, ...]:
        """Gradients of the embeddings; those of an objective with parameters are added to its own."""
