"""Smoothed prediction: every row of a decoder must predict its id, but not be too sure of it.

It is row prediction (objectives/row_prediction.py) with the loss of ops/smoothed_cross_entropy.py. What a row's loss
would be without smoothing is reported beside it: the smoothed one can't become 0, and says little by itself.
"""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.smoothed_cross_entropy import (
    SmoothedCrossEntropyCache,
    smoothed_cross_entropy_backward,
    smoothed_cross_entropy_forward,
)


class SmoothedPrediction(NamedTuple):
    """How well the rows predicted, in nats a row: with smoothing and without; and the share of ids scored highest."""

    total: float
    nats_per_token: float
    accuracy: float


class SmoothedPredictionCache(NamedTuple):
    head: Any
    losses: SmoothedCrossEntropyCache
    mean: MeanCache


def smoothed_prediction_forward(
    head: Module, x: np.ndarray, ids: np.ndarray, smoothing: float, of_step: int | None = None
) -> tuple[SmoothedPrediction, SmoothedPredictionCache]:
    """How well the rows x (N, H) predict ids (N,) through a head, and the cache.

    If the batch is a shard of a step, of_step is how many rows the whole step predicts: all numbers are then this
    shard's share of the step's. Without rows they are 0.
    """
    logits, head_cache = head.forward(x)
    losses, losses_cache = smoothed_cross_entropy_forward(logits, ids, smoothing)
    total, mean_cache = mean_forward(losses, of_step)
    plain, _ = mean_forward(losses_cache.plain_losses, of_step)
    accuracy, _ = mean_forward(logits.argmax(axis=1) == ids, of_step)
    cache = SmoothedPredictionCache(head_cache, losses_cache, mean_cache)
    return SmoothedPrediction(float(total), float(plain), float(accuracy)), cache


def smoothed_prediction_backward(head: Module, cache: SmoothedPredictionCache) -> np.ndarray:
    """Gradient of x (N, H) for that of the total; those of the head are added to its own."""
    dlogits = smoothed_cross_entropy_backward(mean_backward(1.0, cache.mean), cache.losses)
    return head.backward(dlogits, cache.head)
