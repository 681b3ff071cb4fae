"""A task: what the training loop trains a model on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

from minitransformer.batches.batch import Batch
from minitransformer.models.trainable import TrainableModel
from minitransformer.training.workers import Workers

Model = TypeVar("Model", bound=TrainableModel)


class Task(ABC, Generic[Model]):
    """The data of each step, and the gradients of its loss."""

    @abstractmethod
    def batch(self, step: int) -> Any:
        """The data of a step, with `lengths` (S,): a function of its number, called a step ahead on another thread."""

    @abstractmethod
    def gradients(
        self, workers: Workers[Model], batch: Any, rng: np.random.Generator | None
    ) -> tuple[dict[str, float], float]:
        """Make the gradients of the workers' model those of the batch's loss, with dropout if there is an rng.

        Returns the batch's metrics, "loss" first, and the length of the gradient.
        """


class ShardedTask(Task[Model]):
    """Batches whose shards' losses and gradients add up to those of the batch in one piece.

    The number of shards, not of workers, decides the dropout masks. More shards than workers is gradient accumulation:
    a worker takes its shards one after the other and needs the memory of one.
    """

    def __init__(self, batch_of_step: Callable[[int], Batch], num_shards: int) -> None:
        self.batch_of_step = batch_of_step
        self.num_shards = num_shards

    def batch(self, step: int) -> Batch:
        return self.batch_of_step(step)

    def gradients(
        self, workers: Workers[Model], batch: Batch, rng: np.random.Generator | None
    ) -> tuple[dict[str, float], float]:
        loss, norm = workers.gradients(batch, rng, self.num_shards)
        return ({"loss": loss} if isinstance(loss, float) else {"loss": loss.total, **loss._asdict()}), norm
