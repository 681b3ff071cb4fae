"""The regression objective: the cosine of a pair should be its score."""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.cosine_similarity import CosineCache, cosine_similarity_backward, cosine_similarity_forward
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.squared_error import SquaredErrorCache, squared_error_backward, squared_error_forward


class RegressionCache(NamedTuple):
    cosines: CosineCache
    errors: SquaredErrorCache
    mean: MeanCache


class RegressionObjective:
    """(cos(u, v) - score)^2, the mean over the pairs (Reimers, Gurevych 2019, arXiv 1908.10084, section 3)."""

    def forward(self, embeddings: tuple[np.ndarray, ...], scores: np.ndarray) -> tuple[float, RegressionCache]:
        """The mean loss of pairs (u, v), each (S, H), with scores (S,) from -1 to 1, and the cache."""
        u, v = embeddings
        cosines, cosines_cache = cosine_similarity_forward(u, v)
        errors, errors_cache = squared_error_forward(cosines, scores.astype(cosines.dtype))
        loss, mean_cache = mean_forward(errors)
        return float(loss), RegressionCache(cosines_cache, errors_cache, mean_cache)

    def backward(self, cache: RegressionCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of u and v."""
        dcosines = squared_error_backward(mean_backward(1.0, cache.mean), cache.errors)
        return cosine_similarity_backward(dcosines, cache.cosines)
