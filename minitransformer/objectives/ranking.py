"""The multiple negatives ranking objective: each anchor should find its positive among those of the whole batch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.ops.cosine_similarity import CosineCache, cosine_matrix_backward, cosine_matrix_forward
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.ranking_loss import (
    RankingLossCache,
    ranking_loss_backward,
    ranking_loss_forward,
    right_answers,
)


class RankingCache(NamedTuple):
    similarities: CosineCache
    losses: RankingLossCache
    mean: MeanCache
    ends: list[int]  # where the positives, and each column of negatives but the last, end among the candidates


class RankingObjective:
    """-log softmax_j(scale cos(anchor_i, candidate_j))_i, the mean over the anchors (Henderson et al. 2017, 4.4).

    The candidates are the positives of the batch and its hard negatives, if it has any. The symmetric form adds the
    positives finding their anchors, and takes the mean of both. Equal texts are not negatives of each other.
    """

    def __init__(self, scale: float = 20.0, symmetric: bool = False) -> None:
        self.scale = scale
        self.symmetric = symmetric

    def forward(
        self, embeddings: tuple[np.ndarray, ...], text_ids: Sequence[np.ndarray] | None = None
    ) -> tuple[float, RankingCache]:
        """The mean loss of (anchors, positives), each (S, H), and the cache.

        Hard negatives may follow, an array (any number, H): they are negatives of all anchors. text_ids are numbers
        for the texts of each array, equal for equal texts (text_ids_of in batches/sentence_examples.py makes them);
        without them all texts count as different.
        """
        anchors, candidates = embeddings[0], np.concatenate(embeddings[1:])
        left_out = None if text_ids is None else right_answers(text_ids[0], np.concatenate(text_ids[1:]))
        similarities, similarities_cache = cosine_matrix_forward(anchors, candidates)
        losses, losses_cache = ranking_loss_forward(similarities, left_out, self.scale, self.symmetric)
        ends = np.cumsum([len(column) for column in embeddings[1:-1]], dtype=int).tolist()
        loss, mean_cache = mean_forward(losses)
        return float(loss), RankingCache(similarities_cache, losses_cache, mean_cache, ends)

    def backward(self, cache: RankingCache) -> tuple[np.ndarray, ...]:
        """Gradients of the anchors, the positives and, if there are any, the hard negatives."""
        dsimilarities = ranking_loss_backward(mean_backward(1.0, cache.mean), cache.losses)
        d_anchors, d_candidates = cosine_matrix_backward(dsimilarities, cache.similarities)
        return d_anchors, *np.split(d_candidates, cache.ends)
