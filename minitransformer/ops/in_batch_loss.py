"""The loss of in-batch negatives: each query says yes to its own product, and no to those of the others.

    loss_i = bce(s_ii, 1) + (lambda / n_i) sum over j in N_i of w_ij bce(s_ij, 0)

s (S, C) are scores, product i is query i's own, and N_i are the n_i products that are wrong for it. bce is binary
cross-entropy (ops/binary_cross_entropy.py) of the sigmoid of a score, and lambda is how much the wrong ones count in
all. That is the reduction "mean"; with "sum", lambda counts for each of them, without n_i, as Xie et al. 2022 (arXiv
2209.05555), section 4, print it. They say neither what their lambda was nor whether a mean was taken.

Back, for the mean: bce(s, 1) has the slope sigmoid(s) - 1, and bce(s, 0) has sigmoid(s), so

    ds_ii = dloss_i (sigmoid(s_ii) - 1)
    ds_ij = dloss_i (lambda / n_i) w_ij sigmoid(s_ij),   dw_ij = dloss_i (lambda / n_i) bce(s_ij, 0)

The weights come from the embeddings, too (ops/negative_weights.py). Whoever passes dw on to them lets the gradient
through the weights; whoever drops it takes the weights as constants.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.binary_cross_entropy import (
    BinaryCrossEntropyCache,
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
)

REDUCTIONS = ("mean", "sum")


class InBatchLossCache(NamedTuple):
    losses: BinaryCrossEntropyCache
    of_pairs: np.ndarray  # (S, C) the cross-entropy of each pair
    share: np.ndarray  # (S, C) lambda / n_i or lambda for the pairs that are wrong, 0 elsewhere
    weights: np.ndarray


def in_batch_loss_forward(
    scores: np.ndarray,
    weights: np.ndarray,
    negatives: np.ndarray,
    lambda_negatives: float = 1.0,
    reduction: str = "mean",
) -> tuple[np.ndarray, InBatchLossCache]:
    """Losses (S,), in nats, of scores (S, C) with C >= S and weights (S, C), and the cache.

    negatives (S, C) is True for the pairs that are wrong, False on the diagonal. `reduction`, one of REDUCTIONS, is of
    a query's wrong products. A query for which nothing is wrong has the loss of its own product alone.
    """
    own = np.arange(len(scores))
    right = np.zeros_like(scores)
    right[own, own] = 1
    of_pairs, cache = binary_cross_entropy_forward(scores, right)
    num_wrong = np.maximum(1, negatives.sum(axis=1, keepdims=True)) if reduction == "mean" else 1
    share = (negatives * (lambda_negatives / num_wrong)).astype(scores.dtype)
    losses = of_pairs[own, own] + (share * weights * of_pairs).sum(axis=1)
    return losses, InBatchLossCache(cache, of_pairs, share, weights)


def in_batch_loss_backward(dlosses: np.ndarray, cache: InBatchLossCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of the scores (S, C) and of the weights (S, C) for dlosses (S,)."""
    counts = cache.share * cache.weights
    own = np.arange(len(dlosses))
    counts[own, own] += 1
    dscores = binary_cross_entropy_backward(dlosses[:, None] * counts, cache.losses)
    return dscores, dlosses[:, None] * cache.share * cache.of_pairs
