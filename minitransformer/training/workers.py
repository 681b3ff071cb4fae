"""Workers: the shards of a step on threads, one BLAS thread each, and their gradients added up.

NumPy lets go of Python's lock while it computes, so two threads that each take half of a batch keep two cores busy,
with element-wise work as well as with products. Each worker has a replica of the model: the same values, gradients of
its own.

Which shard goes to which worker and the order of the sum are fixed, so a step gives the same bits every time with the
same number of workers, and with another number the same result up to the order of summation.

What goes through a model's whole vectors (the sum, the norm, the optimizer) is spread over the same threads, a part of
the vector for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.parallel import Threads
from minitransformer.training.optimizer.clipping import sum_and_norm

ModelType = TypeVar("ModelType", bound=Module)
Shard = TypeVar("Shard")
Result = TypeVar("Result")


class Workers(Threads, Generic[ModelType]):
    """Threads that run shards of one model's steps. A context manager: BLAS has one thread per worker inside it."""

    def __init__(self, model: ModelType, count: int | None = None) -> None:
        """`count` workers, one for each core unless given; the first works on the model itself."""
        super().__init__(count)
        self.model = model
        self.gradient_norm = math.nan  # of a step whose gradients are added up

    def __enter__(self) -> Workers[ModelType]:
        self._models = [self.model] + [self.model.replica() for _ in range(self.count - 1)]
        return super().__enter__()

    def gradients(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard; the model's gradients become the sum of what all added.

        Its length is then in `gradient_norm`. Worker w takes shards w, w + count, w + 2 count, ... Returns the results
        in the order of the shards.
        """
        self.zero_grad()
        results = self.map(shards, work)
        self.add_up_gradients()
        return results

    def zero_grad(self) -> None:
        """Begin a step: every replica's gradients become 0."""
        self.gradient_norm = math.nan
        for model in self._models:
            model.zero_grad()

    def add_up_gradients(self) -> None:
        """End a step: the model's gradients become the sum of all replicas', and `gradient_norm` its length."""
        total, *others = (model.storage.gradients for model in self._models)
        self.gradient_norm = sum_and_norm(total, others, self.spread)

    def map(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard, as `gradients` does. Returns the results in their order."""

        def run(worker: int) -> list[Result]:
            model = self._models[worker]
            # Whoever takes the step checks whether it is finite, and can say more than a warning from in here.
            with np.errstate(over="ignore", invalid="ignore"):
                return [work(model, shards[i], i) for i in range(worker, len(shards), self.count)]

        parts = self.call(run, range(self.count))
        return [parts[i % self.count][i // self.count] for i in range(len(shards))]
