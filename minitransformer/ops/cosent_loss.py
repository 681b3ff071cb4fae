"""CoSENT: of two pairs, the one with the higher score should have the higher cosine.

    loss = log(1 + sum of exp(scale (c_j - c_i)) over all i, j with score_i > score_j)

one number for the batch. Only the order of the scores enters, which is what Spearman's correlation measures; the
squared error, by contrast, wants their values. Su 2022, https://kexue.fm/archives/8847 (scale 20).

It is a smooth maximum: with m_ij = scale (c_j - c_i), the margin by which two pairs are in the wrong order,
log(sum(exp)) is near the largest m_ij, or near 0 (the 1 is exp(0)) if all are in the right one.

Back: log(sum(exp)) has a softmax as its gradient. With p_ij = exp(m_ij) / (1 + sum of exp(m)),

    dm_ij = dloss p_ij,   dc_k = scale (sum_i dm_ik - sum_j dm_kj)

since c_k is in column k of m with a plus and in row k with a minus. dc adds up to 0: only differences count.
"""

from typing import NamedTuple

import numpy as np


class CosentLossCache(NamedTuple):
    weights: np.ndarray  # (S, S), p_ij, and 0 where score_i isn't above score_j
    scale: float


def cosent_loss_forward(cosines: np.ndarray, scores: np.ndarray, scale: float) -> tuple[np.ndarray, CosentLossCache]:
    """The loss (), in nats, of cosines (S,) against the gold scores (S,) of the same pairs, and the cache."""
    ordered = scores[:, None] > scores
    margins = np.where(ordered, scale * (cosines - cosines[:, None]), -np.inf)
    top = margins.max(initial=0)  # subtracted before exp, as in softmax; the 1 counts as the margin 0
    exps = np.exp(margins - top)
    total = np.exp(-top) + exps.sum()
    return np.asarray(top + np.log(total)), CosentLossCache(exps / total, scale)


def cosent_loss_backward(dloss: np.ndarray, cache: CosentLossCache) -> np.ndarray:
    """Gradient of the cosines (S,) for dloss ()."""
    weights, scale = cache
    return dloss * (scale * (weights.sum(axis=0) - weights.sum(axis=1)))
