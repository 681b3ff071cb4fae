"""A task: what the training loop trains a model on."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

from minitransformer.models.trainable import TrainableModel
from minitransformer.training.workers import Workers

Model = TypeVar("Model", bound=TrainableModel)


class Task(Generic[Model]):
    """The batch of each step, and the gradients of its loss: those of its shards, added up.

    `batch` is a function of the step's number, called a step ahead on another thread. The number of shards, not of
    workers, decides the dropout masks. More shards than workers is gradient accumulation: a worker takes its shards
    one after the other and needs the memory of one.
    """

    def __init__(self, batch: Callable[[int], Any], num_shards: int) -> None:
        self.batch = batch
        self.num_shards = num_shards

    def gradients(
        self, workers: Workers[Model], batch: Any, rng: np.random.Generator | None
    ) -> tuple[dict[str, float], float]:
        """Set the gradients of the workers' model to those of the batch's loss, with dropout if there is an rng.

        Returns the batch's metrics, "loss" first, and the length of the gradient.
        """
        loss, norm = workers.gradients(batch, rng, self.num_shards)
        return ({"loss": loss} if isinstance(loss, float) else {"loss": loss.total, **loss._asdict()}), norm
