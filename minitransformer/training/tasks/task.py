"""A task: what the training loop trains a model on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from minitransformer.models.trainable import TrainableModel
from minitransformer.training.workers import Workers

Model = TypeVar("Model", bound=TrainableModel)
Batch = TypeVar("Batch")
RngOfShard = Callable[[int], "np.random.Generator | None"]  # None is for no dropout


class Task(ABC, Generic[Model, Batch]):
    """The data of each step, and the gradients of its loss."""

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """The data of a step: a function of the step's number, called a step ahead on a thread of its own."""

    @abstractmethod
    def num_tokens(self, batch: Batch) -> int:
        """The rows that the batch has."""

    @abstractmethod
    def gradients(self, pool: Workers[Model], batch: Batch, rng_of_shard: RngOfShard) -> dict[str, float]:
        """Make the gradients of the pool's model those of the batch's loss; each shard has an rng for its dropout.

        By pool.gradients, or by pool.zero_grad, pool.map and pool.add_up_gradients, which leave the gradients' norm in
        the pool for the loop to clip by.

        Returns the batch's metrics, "loss" first.
        """
