"""The triplet objective: an anchor should be nearer to its positive than to its negative."""

import numpy as np

from minitransformer.ops.triplet_loss import TripletLossCache, triplet_loss_backward, triplet_loss_forward


class TripletObjective:
    """max(|a - p| - |a - n| + margin, 0), the mean over the triplets (Reimers, Gurevych 2019, section 3)."""

    def __init__(self, margin: float = 1.0) -> None:
        self.margin = margin

    def forward(self, embeddings: tuple[np.ndarray, ...], targets: None = None) -> tuple[float, TripletLossCache]:
        """The mean loss of triplets (anchor, positive, negative), each (S, H), and the cache."""
        anchors, positives, negatives = embeddings
        losses, cache = triplet_loss_forward(anchors, positives, negatives, self.margin)
        return float(losses.mean()), cache

    def backward(self, cache: TripletLossCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of the anchors, positives and negatives."""
        count = len(cache.active)
        return triplet_loss_backward(np.full(count, 1 / count, cache.from_positive.dtype), cache)
