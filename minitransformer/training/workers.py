"""Workers: a step's batch in shards on threads, one BLAS thread each, and their gradients added up.

    with Workers(model) as workers:
        for step in range(steps):
            loss, norm = workers.gradients(batch_of(step), generator(seed, "dropout", step))
            optimizer.step(learning_rate_of(step), clip_scale(norm, max_norm=1.0), workers.spread)

Each worker has a replica of the model: the same values, gradients of its own. Work on a model's whole vectors (the sum,
the norm, the optimizer) is spread over the same threads, a part of the vector for each.

Which shard goes to which worker and the order of the sum are fixed, so a step gives the same bits every time with the
same number of workers, and with another number the same result up to the order of summation. In a job of several
processes (training/machines.py) each process has workers of its own and takes its part of the shards.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np

from minitransformer.batches.batch import Batch
from minitransformer.batches.shards import bounded_shards, sum_of_shares
from minitransformer.nn.module import Module
from minitransformer.parallel import Threads
from minitransformer.text.packed_tokens import IntArray
from minitransformer.training.machines import Machines
from minitransformer.training.optimizer.clipping import global_norm, sum_and_norm

ModelType = TypeVar("ModelType", bound=Module)
Shard = TypeVar("Shard")
Result = TypeVar("Result")


class Workers(Threads, Generic[ModelType]):
    """Threads that run shards of one model's steps. A context manager: BLAS has one thread per worker inside it."""

    def __init__(self, model: ModelType, count: int | None = None, machines: Machines | None = None) -> None:
        """`count` workers, by default one for each core; the first works on the model itself."""
        super().__init__(count)
        self.model = model
        self.machines = machines or Machines()
        self._models = [model]

    def __enter__(self) -> Self:
        self._models = [self.model, *(self.model.replica() for _ in range(self.count - 1))]
        return super().__enter__()

    def gradients(
        self, batch: Batch, rng: np.random.Generator | None = None, num_shards: int | None = None
    ) -> tuple[Any, float]:
        """Set the model's gradients to those of the batch's loss: forward and backward in shards, on all workers.

        Dropout happens only with an rng; each shard has a child of it. The number of shards (by default one for each
        worker, and more for a large batch) decides the dropout masks; apart from that, it affects only rounding.

        Returns the loss, as model.forward returns it, and the gradient's norm, for clipping.
        """
        shards = bounded_shards(batch.lengths, num_shards or self.count)
        rngs = [None] * len(shards) if rng is None else rng.spawn(len(shards))

        def work(model: ModelType, shard: IntArray, index: int) -> Any:
            inputs = batch.select(shard).inputs
            loss, cache = model.forward(*inputs, rng=rngs[index], of_step=batch.counts)
            model.backward(cache)
            return loss

        self.zero_grad()
        losses = self.map(shards, work)
        return sum_of_shares(self.in_order(losses)), self.add_up_gradients()

    def zero_grad(self) -> None:
        """Begin a step: every replica's gradients become 0."""
        self.call(lambda model: model.storage.gradients.fill(0), self._models)

    def map(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard of this process. Returns the results in their order.

        Process r of R takes shards r, r + R, r + 2 R, ..., and of these its worker w the ones w, w + count, ...
        """
        own = self.own(shards)

        def run(worker: int) -> list[Result]:
            model = self._models[worker]
            # The caller checks that the result is finite, and can say more than a warning here could.
            with np.errstate(over="ignore", invalid="ignore"):
                return [work(model, shards[i], i) for i in own[worker :: self.count]]

        return interleaved(self.call(run, range(self.count)))

    def own(self, shards: Sequence[Shard]) -> range:
        """The numbers of this process's shards."""
        return range(self.machines.rank, len(shards), self.machines.size)

    def in_order(self, results: list[Result]) -> list[Result]:
        """The results of all processes' shards, in the order of the shards."""
        return interleaved(self.machines.gather(results))

    def add_up_gradients(self) -> float:
        """End a step: the model's gradients become the sum of all replicas'. Returns the length of the sum."""
        total, *others = (model.storage.gradients for model in self._models)
        norm = sum_and_norm(total, others, self.spread)
        if self.machines.size == 1:
            return norm
        self.machines.sum(total)
        return global_norm(total, self.spread)


def interleaved(parts: Sequence[Sequence[Result]]) -> list[Result]:
    """What was dealt out like cards, put together again.

    >>> interleaved([[0, 3, 6], [1, 4], [2, 5]])
    [0, 1, 2, 3, 4, 5, 6]
    """
    return [parts[i % len(parts)][i // len(parts)] for i in range(sum(map(len, parts)))]
