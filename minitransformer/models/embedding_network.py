"""What is trained by its embeddings: texts go through encoders, and an objective sees those of a whole batch."""

from typing import Any

import numpy as np

from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.models.trainable import TrainableModel
from minitransformer.text.packed_tokens import IntArray


class EmbeddingNetwork(TrainableModel):
    """Encoders, and the `objective` that they are trained for."""

    objective: Any  # an Objective of objectives/objective.py

    def embed_forward(
        self, batch: SiameseBatch, texts: IntArray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, Any]:
        """Embeddings (n, E) of n texts of a batch, by their numbers, and the cache."""
        raise NotImplementedError

    def embed_backward(self, d_embeddings: np.ndarray, cache: Any) -> None:
        """Add the gradients of the encoders' parameters, for d_embeddings (n, E)."""
        raise NotImplementedError
