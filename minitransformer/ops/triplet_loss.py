"""The triplet loss: an anchor should be nearer to its positive than to its negative, by a margin.

    loss = max(|a - p| - |a - n| + margin, 0)

with Euclidean distances, one loss for each row (Reimers, Gurevych 2019, arXiv 1908.10084, section 3, with margin 1).

Back: a distance |a - p| has the unit vector from p to a as its gradient with respect to a, and the opposite with
respect to p. With g = dloss where the loss is above 0, else 0 (the triplet is far enough apart):

    from_p = (a - p) / |a - p|,   from_n = (a - n) / |a - n|
    da = g (from_p - from_n),   dp = -g from_p,   dn = g from_n

so da + dp + dn = 0: moving all three together changes nothing. Between equal vectors there is no direction, and the
unit vector is taken to be 0.
"""

from typing import NamedTuple

import numpy as np


class TripletLossCache(NamedTuple):
    from_positive: np.ndarray  # (S, H), unit vectors, or zeros where the distance is 0
    from_negative: np.ndarray  # (S, H)
    active: np.ndarray  # (S,), whether the loss is above 0


def triplet_loss_forward(
    anchors: np.ndarray, positives: np.ndarray, negatives: np.ndarray, margin: float
) -> tuple[np.ndarray, TripletLossCache]:
    """Losses (S,) of corresponding rows of three (S, H) arrays, and the cache. The margin is a length."""
    positive_distances, from_positive = _distances(anchors, positives)
    negative_distances, from_negative = _distances(anchors, negatives)
    losses = np.maximum(positive_distances - negative_distances + margin, 0)
    return losses, TripletLossCache(from_positive, from_negative, losses > 0)


def triplet_loss_backward(dlosses: np.ndarray, cache: TripletLossCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of anchors, positives and negatives (S, H) for dlosses (S,)."""
    g = (dlosses * cache.active)[:, None]
    d_positives = -g * cache.from_positive
    d_negatives = g * cache.from_negative
    return -d_positives - d_negatives, d_positives, d_negatives


def _distances(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|a - b| (S,), row by row, and the unit vectors (S, H) from b to a."""
    difference = a - b
    distances = np.linalg.norm(difference, axis=1)
    return distances, difference / np.where(distances > 0, distances, 1)[:, None]
