"""Row prediction: these rows of a model must predict these ids.

    loss = mean over the rows of -log p(id | row),   p = softmax(head(row))

BERT's masked rows predict the tokens that were masked and its pooled rows the order of two texts, a decoder's rows the
next token, a translator's the next word of the target. The head is computed for these rows alone: the others have no
part in the loss.
"""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.ops.cross_entropy import CrossEntropyCache, cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward


class RowPrediction(NamedTuple):
    """What the rows predicted: the loss in nats, and the share of ids that had the highest score."""

    loss: float
    accuracy: float


class RowPredictionCache(NamedTuple):
    x_shape: tuple[int, ...]
    rows: np.ndarray  # (M,)
    head: Any
    losses: CrossEntropyCache
    mean: MeanCache


def row_prediction_forward(
    head: Module, x: np.ndarray, rows: np.ndarray, ids: np.ndarray, of_step: int | None = None
) -> tuple[RowPrediction, RowPredictionCache]:
    """How well `rows` (M,) of x (N, H), no row twice, predict ids (M,) through a head, and the cache.

    If the batch is a shard of a step, of_step is how many rows the whole step predicts: loss and accuracy are then this
    shard's share of the step's. Without rows both are 0.
    """
    logits, head_cache = head.forward(x[rows])
    losses, losses_cache = cross_entropy_forward(logits, ids)
    loss, mean_cache = mean_forward(losses, of_step)
    accuracy = (logits.argmax(axis=1) == ids).sum() / mean_cache.divisor
    cache = RowPredictionCache(x.shape, rows, head_cache, losses_cache, mean_cache)
    return RowPrediction(float(loss), float(accuracy)), cache


def row_prediction_backward(head: Module, cache: RowPredictionCache) -> np.ndarray:
    """Gradient of x (N, H); those of the head are added to its own."""
    dlogits = cross_entropy_backward(mean_backward(1.0, cache.mean), cache.losses)
    dx = np.zeros(cache.x_shape, dlogits.dtype)
    dx[cache.rows] = head.backward(dlogits, cache.head)
    return dx
