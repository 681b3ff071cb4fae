"""Training sentence embeddings as a task of the training loop: two or three texts per example, one encoder or two.

An objective needs the embeddings of the whole batch, since in some every example is a negative of the others. So a step
goes forwards on shards, through the objective in one piece, and backwards on the same shards:

    embeddings = [network.embed(shard) for shard in shards]           each worker its shards
    loss, d_embeddings = objective(embeddings), and its backward
    network.embed_backward(d_embeddings[shard], cache of shard)       each worker its shards, gradients added up

The texts of an example are sequences of one batch like any others: an encoder's gradient is the sum over all of them.
Every process of a job sees the embeddings of the whole batch, and so has the objective's own gradients whole: those of
the first one count, since the processes' gradients are added up.

Between the two passes every shard's cache is in memory. With gradient caching (Gao et al. 2021, arXiv 2101.06983) none
is: the backward pass makes each shard's cache again, with the same dropout masks, one at a time. The gradient is the
same, for a third more work, and a batch may be as large as its embeddings fit into memory.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.batches.shards import equal_shards
from minitransformer.models.embedding_network import EmbeddingNetwork
from minitransformer.nn.module import Module
from minitransformer.text.packed_tokens import IntArray
from minitransformer.training.tasks.task import Task
from minitransformer.training.workers import Workers


class SiameseTask(Task[EmbeddingNetwork]):
    """Batches of sentence examples for a network of encoders (SiameseBatch in batches/sentence_examples.py)."""

    def __init__(self, batch: Callable[[int], SiameseBatch], num_shards: int, gradient_caching: bool = False) -> None:
        super().__init__(batch, num_shards)
        self.gradient_caching = gradient_caching

    def gradients(
        self, workers: Workers[EmbeddingNetwork], batch: SiameseBatch, rng: np.random.Generator | None
    ) -> tuple[dict[str, float], float]:
        shards = equal_shards(batch.lengths, self.num_shards)
        rngs = [None] * len(shards) if rng is None else rng.spawn(len(shards))

        def embed(network: EmbeddingNetwork, shard: IntArray, index: int) -> tuple[np.ndarray, Any]:
            return network.embed_forward(batch, shard, deepcopy(rngs[index]))

        def first_pass(network: EmbeddingNetwork, shard: IntArray, index: int) -> tuple[np.ndarray, Any]:
            embeddings, cache = embed(network, shard, index)
            return embeddings, None if self.gradient_caching else cache

        workers.zero_grad()
        encoded = workers.map(shards, first_pass)
        parts = workers.in_order([part for part, _ in encoded])
        caches = {index: cache for index, (_, cache) in zip(workers.own(shards), encoded, strict=True)}
        embeddings = np.concatenate(parts)[np.argsort(np.concatenate(shards))]  # in the batch's order
        objective = workers.model.objective
        loss, objective_cache = objective.forward(tuple(np.split(embeddings, batch.ends)), batch.targets)
        d_embeddings = np.concatenate(objective.backward(objective_cache))
        if workers.machines.rank > 0 and isinstance(objective, Module):
            objective.zero_grad()

        def backward(network: EmbeddingNetwork, shard: IntArray, index: int) -> None:
            cache = embed(network, shard, index)[1] if self.gradient_caching else caches[index]
            network.embed_backward(d_embeddings[shard], cache)

        workers.map(shards, backward)
        return {"loss": loss}, workers.add_up_gradients()
