"""Does each text find the one that it belongs with? Measures for pairs and triplets of embeddings."""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.normalise import normalise_forward

_ROWS = 1024  # how many anchors are compared with all candidates at once


class RankingMetrics(NamedTuple):
    """For S anchors, each with one right answer among S candidates.

    mean_reciprocal_rank  the mean of 1 / (rank of the right answer): 1 if it is always first, 1/2 if always second
    accuracy              the share of anchors whose right answer is first
    """

    mean_reciprocal_rank: float
    accuracy: float


def ranking_metrics(anchors: np.ndarray, candidates: np.ndarray, answer_ids: np.ndarray) -> RankingMetrics:
    """Rank all candidates (S, E) for each anchor (S, E) by cosine; candidate i is the right answer to anchor i.

    answer_ids (S,) are equal for candidates with equal texts, which share a rank. Among other candidates with the same
    cosine the right answer comes last, so embeddings that are all the same find nothing.
    """
    u, v = normalise_forward(anchors)[0], normalise_forward(candidates)[0]
    ranks = np.empty(len(u))
    for start in range(0, len(u), _ROWS):
        own = np.arange(start, min(start + _ROWS, len(u)))
        cosines = u[own] @ v.T
        before = cosines >= cosines[np.arange(len(own)), own][:, None]
        before &= answer_ids[own][:, None] != answer_ids
        ranks[own] = 1 + before.sum(axis=1)
    return RankingMetrics(float((1 / ranks).mean()), float((ranks == 1).mean()))


def triplet_accuracy(anchors: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> float:
    """The share of triplets, each (S, E), whose positive is nearer to the anchor than the negative (Euclidean)."""
    to_positive = np.linalg.norm(anchors - positives, axis=1)
    to_negative = np.linalg.norm(anchors - negatives, axis=1)
    return float((to_positive < to_negative).mean())
