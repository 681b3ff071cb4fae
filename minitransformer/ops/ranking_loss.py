"""The multiple negatives ranking loss: among all candidates of the batch, each anchor should find its own.

    scores = scale * similarities          (S, C)   anchor i and candidate j; candidate i is anchor i's own
    loss_i = -log softmax(scores_i)_i               a classification among the C candidates

The first S candidates are the anchors' positives, so S - 1 of them serve each anchor as negatives at no cost; further
columns are hard negatives. With cosines the scale is 20, which lets softmax tell 1 from 0 (a temperature of 1 / 20).
Henderson et al. 2017 (arXiv 1705.00652), section 4.4; with cosines it is InfoNCE (van den Oord et al. 2018, arXiv
1807.03748).
The symmetric form also lets each positive find its anchor, and takes the mean of both losses:

    loss_i = -(log softmax(scores_i)_i + log softmax(scores^T_i)_i) / 2      scores^T: the positives' columns as rows

A candidate that would be a right answer as well (an equal text) is no negative: it is left out of that row's softmax.

Back: softmax's and the logarithm's derivatives fold as in ops/cross_entropy.py; the scale passes through:

    dsimilarities_ij = scale * dloss_i (softmax(scores_i)_j - 1[i = j])

and the symmetric form is the mean of this and of the same along the columns. What is left out has softmax 0 and so
gradient 0.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.cross_entropy import CrossEntropyCache, cross_entropy_backward, cross_entropy_forward

_LEFT_OUT = -1e9  # a score whose exp is exactly 0


class RankingLossCache(NamedTuple):
    rows: CrossEntropyCache
    columns: CrossEntropyCache | None  # of the symmetric form
    scale: float


def ranking_loss_forward(
    similarities: np.ndarray, left_out: np.ndarray | None, scale: float, symmetric: bool
) -> tuple[np.ndarray, RankingLossCache]:
    """Losses (S,), in nats, of similarities (S, C) with C >= S, and the cache.

    left_out (S, C) is True for candidates that don't count for an anchor (see right_answers); its diagonal is False.
    """
    own = np.arange(len(similarities))
    scores = similarities * scale
    if left_out is not None:
        scores[left_out] = _LEFT_OUT
    losses, rows = cross_entropy_forward(scores, own)
    if not symmetric:
        return losses, RankingLossCache(rows, None, scale)
    column_losses, columns = cross_entropy_forward(scores[:, : len(own)].T, own)
    return (losses + column_losses) / 2, RankingLossCache(rows, columns, scale)


def ranking_loss_backward(dlosses: np.ndarray, cache: RankingLossCache) -> np.ndarray:
    """Gradient of similarities (S, C) for dlosses (S,)."""
    rows, columns, scale = cache
    dscores = cross_entropy_backward(dlosses, rows)
    if columns is not None:
        dscores[:, : len(dlosses)] += cross_entropy_backward(dlosses, columns).T
        dscores /= 2
    return dscores * scale


def right_answers(anchors: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """(S, C), True where candidate j isn't i's own, yet would be a right answer to anchor i.

    anchors (S,) and candidates (C,), positives first, are numbers from 0 that stand for texts: equal numbers, equal
    texts. A text is a right answer to an anchor if it is the anchor's own text, or if the two are a pair of the batch.
    """
    own = np.arange(len(anchors))
    num_texts = max(anchors.max(initial=0), candidates.max(initial=0)) + 1
    pairs = anchors[:, None] * num_texts + candidates
    right = np.isin(pairs, pairs[own, own])
    right |= candidates == anchors[:, None]
    right[own, own] = False
    return right
