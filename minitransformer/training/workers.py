"""Workers: the shards of a step on threads, one BLAS thread each, and their gradients added up.

NumPy lets go of Python's lock while it computes, so two threads that each take half of a batch keep two cores busy,
with element-wise work as well as with products. Each worker has a replica of the model: the same values, gradients of
its own.

Which shard goes to which worker and the order of the sum are fixed, so a step gives the same bits every time with the
same number of workers, and with another number the same result up to the order of summation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from minitransformer.cores import available_cores
from minitransformer.nn.module import Module
from minitransformer.training.memory import keep_freed_memory

ModelType = TypeVar("ModelType", bound=Module)
Shard = TypeVar("Shard")
Result = TypeVar("Result")


class Workers(Generic[ModelType]):
    """Threads that run shards of one model's steps. A context manager: BLAS has one thread per worker inside it."""

    def __init__(self, model: ModelType, count: int | None = None) -> None:
        """`count` workers, one for each core unless given; the first works on the model itself."""
        self.model = model
        self.count = count or available_cores()

    def __enter__(self) -> Workers[ModelType]:
        keep_freed_memory()
        self._models = [self.model] + [self.model.replica() for _ in range(self.count - 1)]
        self._blas = threadpool_limits(1, user_api="blas")
        self._threads = ThreadPoolExecutor(self.count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._blas.unregister()

    def gradients(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard; the model's gradients become the sum of what all added.

        Worker w takes shards w, w + count, w + 2 count, ... Returns the results in the order of the shards.
        """
        self.zero_grad()
        results = self.map(shards, work)
        self.add_up_gradients()
        return results

    def zero_grad(self) -> None:
        """Begin a step: every replica's gradients become 0."""
        for model in self._models:
            model.zero_grad()

    def add_up_gradients(self) -> None:
        """End a step: the model's gradients become the sum of all replicas'."""
        total = self.model.storage.gradients
        for replica in self._models[1:]:
            total += replica.storage.gradients

    def map(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard, as `gradients` does. Returns the results in their order."""

        def run(worker: int) -> list[Result]:
            model = self._models[worker]
            # Whoever takes the step checks whether it is finite, and can say more than a warning from in here.
            with np.errstate(over="ignore", invalid="ignore"):
                return [work(model, shards[i], i) for i in range(worker, len(shards), self.count)]

        parts = list(self._threads.map(run, range(self.count)))
        return [parts[i % self.count][i // self.count] for i in range(len(shards))]
