"""The objective of two towers: yes to each query's own product, no to those of the other queries in the batch."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.batches.pair_targets import PairTargets
from minitransformer.errors import UserError
from minitransformer.nn.module import Module
from minitransformer.nn.pair_scores import PairScore
from minitransformer.ops.in_batch_loss import (
    REDUCTIONS,
    InBatchLossCache,
    in_batch_loss_backward,
    in_batch_loss_forward,
)
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.negative_weights import (
    WEIGHTS,
    NegativeWeightsCache,
    negative_weights_backward,
    negative_weights_forward,
)

WEIGHT_GRADIENTS = ("stop", "through")


class InBatchNegativesCache(NamedTuple):
    similarities: Any
    scores: Any
    weights: NegativeWeightsCache
    losses: InBatchLossCache
    mean: MeanCache


class InBatchNegativesObjective(Module):
    """Binary cross-entropy of each query with its product and with those that are wrong for it (ops/in_batch_loss.py).

    Xie et al. 2022 (arXiv 2209.05555), section 4. Where the paper leaves a choice open:

    weights            how much a wrong pair counts by its similarity, one of WEIGHTS in ops/negative_weights.py;
                       "equal" is vanilla
    weight_gradient    "stop" takes the weights as constants, as their source does (Sun et al. 2019), and "through" lets
                       them be learnt from. With identity weights and the dot product s, a wrong pair comes to rest at
                       s = 0 or at -1.1446: there the gradient s sigmoid(s), or softplus(s) + s sigmoid(s), is 0.
    lambda_negatives   how much the wrong products of a query count beside its own one: all of them, or with the
    reduction          "sum" in place of "mean", each of them; the paper prints the sum, and train-towers takes it
    temperature        of softmax weights
    """

    def __init__(
        self,
        score: PairScore,
        weights: str = "equal",
        weight_gradient: str = "stop",
        lambda_negatives: float = 1.0,
        temperature: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        for name, given, known in (
            ("weights", weights, WEIGHTS),
            ("weight_gradient", weight_gradient, WEIGHT_GRADIENTS),
            ("reduction", reduction, REDUCTIONS),
        ):
            if given not in known:
                raise UserError(f"{name} must be one of {', '.join(known)}; found {given!r}")
        self.score = score
        self.weights, self.weight_gradient = weights, weight_gradient
        self.lambda_negatives, self.temperature, self.reduction = lambda_negatives, temperature, reduction

    def forward(
        self, embeddings: tuple[np.ndarray, ...], targets: PairTargets | None = None
    ) -> tuple[float, InBatchNegativesCache]:
        """The mean loss of (queries, products), each (S, E), and the cache. Without targets all others are wrong."""
        queries, products = embeddings
        negatives = ~np.eye(len(queries), dtype=bool) if targets is None else targets.negatives
        similarities, similarities_cache = self.score.similarities_forward(queries, products)
        scores, scores_cache = self.score.forward(similarities)
        weights, weights_cache = negative_weights_forward(similarities, negatives, self.weights, self.temperature)
        losses, losses_cache = in_batch_loss_forward(scores, weights, negatives, self.lambda_negatives, self.reduction)
        loss, mean_cache = mean_forward(losses)
        caches = similarities_cache, scores_cache, weights_cache, losses_cache, mean_cache
        return float(loss), InBatchNegativesCache(*caches)

    def backward(self, cache: InBatchNegativesCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of the queries and the products; those of the score are added to its own."""
        dscores, dweights = in_batch_loss_backward(mean_backward(1.0, cache.mean), cache.losses)
        dsimilarities = self.score.backward(dscores, cache.scores)
        if self.weight_gradient == "through":
            dsimilarities = dsimilarities + negative_weights_backward(dweights, cache.weights)
        return self.score.similarities_backward(dsimilarities, cache.similarities)
