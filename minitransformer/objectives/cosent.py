"""The CoSENT objective: the cosines of the pairs should stand in the order of their scores."""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.cosent_loss import CosentLossCache, cosent_loss_backward, cosent_loss_forward
from minitransformer.ops.cosine_similarity import CosineCache, cosine_similarity_backward, cosine_similarity_forward


class CosentCache(NamedTuple):
    cosines: CosineCache
    loss: CosentLossCache


class CosentObjective:
    """log(1 + sum of exp(scale (cos_j - cos_i))) over the pairs i, j of the batch with score_i > score_j."""

    def __init__(self, scale: float = 20.0) -> None:
        self.scale = scale

    def forward(self, embeddings: tuple[np.ndarray, ...], scores: np.ndarray) -> tuple[float, CosentCache]:
        """The loss, one for the batch, of pairs (u, v), each (S, H), with scores (S,) in any unit, and the cache."""
        u, v = embeddings
        cosines, cosines_cache = cosine_similarity_forward(u, v)
        loss, loss_cache = cosent_loss_forward(cosines, scores, self.scale)
        return float(loss), CosentCache(cosines_cache, loss_cache)

    def backward(self, cache: CosentCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of u and v."""
        dcosines = cosent_loss_backward(np.ones((), cache.loss.weights.dtype), cache.loss)
        return cosine_similarity_backward(dcosines, cache.cosines)
