"""The face of an objective: one number for a batch of sentence embeddings, and its gradient."""

from typing import Any, Protocol

import numpy as np

Embeddings = tuple[np.ndarray, ...]  # (S, H) for each text of an example: row i belongs to example i


class Objective(Protocol):
    def forward(self, embeddings: Embeddings, targets: Any) -> tuple[float, Any]:
        """The loss of the batch, and the cache."""

    def backward(self, cache: Any) -> Embeddings:
        """Gradients of the embeddings; those of an objective with parameters are added to its own."""
