"""The triplet objective: an anchor should be nearer to its positive than to its negative."""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.triplet_loss import TripletLossCache, triplet_loss_backward, triplet_loss_forward


class TripletCache(NamedTuple):
    losses: TripletLossCache
    mean: MeanCache


class TripletObjective:
    """max(|a - p| - |a - n| + margin, 0), the mean over the triplets (Reimers, Gurevych 2019, section 3)."""

    def __init__(self, margin: float = 1.0) -> None:
        self.margin = margin

    def forward(self, embeddings: tuple[np.ndarray, ...], targets: None = None) -> tuple[float, TripletCache]:
        """The mean loss of triplets (anchor, positive, negative), each (S, H), and the cache."""
        anchors, positives, negatives = embeddings
        losses, losses_cache = triplet_loss_forward(anchors, positives, negatives, self.margin)
        loss, mean_cache = mean_forward(losses)
        return float(loss), TripletCache(losses_cache, mean_cache)

    def backward(self, cache: TripletCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of the anchors, positives and negatives."""
        return triplet_loss_backward(mean_backward(1.0, cache.mean), cache.losses)
