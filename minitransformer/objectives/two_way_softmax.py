"""The two-way softmax of two towers: each query finds its product among the batch's, and each product its query.

It is Que2Search's (Liu et al. 2021, KDD, "Que2Search: Fast and Accurate Query and Document Understanding for Search at
Facebook"): ops/ranking_loss.py, in the symmetric form, on scores whose scale is learnt.

A batch holds popular products more often than rare ones, and so they would serve as negatives, and be pushed away, more
often than they deserve. The logQ correction (Yi et al. 2019, RecSys, "Sampling-bias-corrected neural modeling", section
4) takes that back: with q_j the chance that a place of the batch holds product j, it SUBTRACTS,

    s_ij - log q_j

since the sum of exp(s_ij - log q_j) = exp(s_ij) / q_j over the batch's products is, on average and times their number,
the sum of exp(s_ij) over all products once. A product seldom drawn counts the more where it is. Seen from the products,
the queries are what was drawn. Both corrections fit in one matrix:

    s_ij - log q(query i) - log q(product j)

for what is the same along a whole row cancels in that row's softmax, and along a column in that column's.
"""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.batches.pair_targets import PairTargets
from minitransformer.nn.module import Module
from minitransformer.nn.pair_scores import PairScore
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.ranking_loss import RankingLossCache, ranking_loss_backward, ranking_loss_forward


class TwoWaySoftmaxCache(NamedTuple):
    similarities: Any
    scores: Any
    losses: RankingLossCache
    mean: MeanCache


class TwoWaySoftmaxObjective(Module):
    """The mean of -log softmax over products and over queries; with log_q, corrected for how often each is drawn."""

    def __init__(self, score: PairScore, log_q: bool = False) -> None:
        self.score = score
        self.log_q = log_q

    def forward(
        self, embeddings: tuple[np.ndarray, ...], targets: PairTargets | None = None
    ) -> tuple[float, TwoWaySoftmaxCache]:
        """The mean loss of (queries, products), each (S, E), and the cache.

        Without targets all others are wrong, and all are drawn alike.
        """
        queries, products = embeddings
        left_out = None
        similarities, similarities_cache = self.score.similarities_forward(queries, products)
        scores, scores_cache = self.score.forward(similarities)
        if targets is not None:
            left_out = ~targets.negatives & ~np.eye(len(queries), dtype=bool)
            if self.log_q:
                often = targets.log_q_queries[:, None] + targets.log_q_products
                scores = scores - often.astype(scores.dtype)
        losses, losses_cache = ranking_loss_forward(scores, left_out, 1.0, symmetric=True)
        loss, mean_cache = mean_forward(losses)
        return float(loss), TwoWaySoftmaxCache(similarities_cache, scores_cache, losses_cache, mean_cache)

    def backward(self, cache: TwoWaySoftmaxCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of the queries and the products; those of the score are added to its own."""
        dscores = ranking_loss_backward(mean_backward(1.0, cache.mean), cache.losses)
        return self.score.similarities_backward(self.score.backward(dscores, cache.scores), cache.similarities)
