"""Workers: a step's batch in shards on threads, one BLAS thread each, and their gradients added up.

    with Workers(model) as workers:
        for step in range(steps):
            loss, norm = workers.gradients(batch_of(step), generator(seed, "dropout", step))
            optimizer.step(learning_rate_of(step), clip_scale(norm, max_norm=1.0), workers.spread)

Each worker has a replica of the model: the same values, gradients of its own. Work on a model's whole vectors (the sum,
the norm, the optimizer) is spread over the same threads, a part of the vector for each.

Which shard goes to which worker and the order of the sum are fixed, so a step gives the same bits every time with the
same number of workers, and with another number the same result up to the order of summation.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np

from minitransformer.batches.batch import Batch
from minitransformer.batches.shards import bounded_shards, sum_of_shares
from minitransformer.nn.module import Module
from minitransformer.parallel import Threads
from minitransformer.text.packed_tokens import IntArray
from minitransformer.training.optimizer.clipping import sum_and_norm

ModelType = TypeVar("ModelType", bound=Module)
Shard = TypeVar("Shard")
Result = TypeVar("Result")


class Workers(Threads, Generic[ModelType]):
    """Threads that run shards of one model's steps. A context manager: BLAS has one thread per worker inside it."""

    def __init__(self, model: ModelType, count: int | None = None) -> None:
        """`count` workers, by default one for each core; the first works on the model itself."""
        super().__init__(count)
        self.model = model
        self._models = [model]

    def __enter__(self) -> Self:
        self._models += [self.model.replica() for _ in range(self.count - 1)]
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
        return sum_of_shares(losses), self.add_up_gradients()

    def zero_grad(self) -> None:
        """Begin a step: every replica's gradients become 0."""
        self.call(lambda model: model.storage.gradients.fill(0), self._models)

    def map(self, shards: Sequence[Shard], work: Callable[[ModelType, Shard, int], Result]) -> list[Result]:
        """Call work(replica, shard, index) for each shard. Returns the results in the order of the shards.

        Worker w takes shards w, w + count, w + 2 count, ...
        """

        def run(worker: int) -> list[Result]:
            model = self._models[worker]
            # The caller checks that the result is finite, and can say more than a warning here could.
            with np.errstate(over="ignore", invalid="ignore"):
                return [work(model, shards[i], i) for i in range(worker, len(shards), self.count)]

        parts = self.call(run, range(self.count))
        return [parts[i % self.count][i // self.count] for i in range(len(shards))]

    def add_up_gradients(self) -> float:
        """End a step: the model's gradients become the sum of all replicas'. Returns the length of the sum."""
        total, *others = (model.storage.gradients for model in self._models)
        return sum_and_norm(total, others, self.spread)
