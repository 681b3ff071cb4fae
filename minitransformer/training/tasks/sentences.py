"""Training sentence embeddings as a task of the training loop: two or three texts per example, one encoder for all.

An objective needs the embeddings of the whole batch, since in some every example is a negative of the others. So a step
goes forwards on shards, through the objective in one piece, and backwards on the same shards:

    embeddings = [encoder(shard) for shard in shards]                 each worker its shards
    loss, d_embeddings = objective(embeddings), and its backward
    encoder.backward(d_embeddings[shard], cache of shard)             each worker its shards, gradients added up

The texts of an example are sequences of one batch like any others: the encoder's gradient is the sum over all of them.

Between the two passes every shard's cache is in memory. With gradient caching (Gao et al. 2021, arXiv 2101.06983) none
is: the backward pass makes each shard's cache again, with the same dropout masks, one at a time. The gradient is the
same, for a third more work, and a batch may be as large as its embeddings fit into memory.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.sentence_examples import NO_TEXT, SentenceExamples
from minitransformer.batches.shards import equal_shards
from minitransformer.models.sentence_encoder import SentenceEncoderCache
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.randomness import children
from minitransformer.text.packed_tokens import IntArray, PackedTokens
from minitransformer.training.tasks.task import Task
from minitransformer.training.workers import Workers


class SiameseBatch(NamedTuple):
    """The texts of a step: the first ones of all examples, then the second ones, then the third."""

    tokens: PackedTokens
    ends: list[int]  # where each of these columns but the last ends
    targets: Any  # what the objective asks for

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each text."""
        return self.tokens.lengths


class SiameseTask(Task[SiameseNetwork]):
    """Batches of examples for a siamese network.

    The objective's targets are the examples' own; without any, they are the numbers of the texts, by which the ranking
    objective knows equal ones.
    """

    def __init__(
        self, examples: SentenceExamples, epochs: Epochs, num_shards: int, gradient_caching: bool = False
    ) -> None:
        self.examples = examples
        self.epochs = epochs
        self.num_shards = num_shards
        self.gradient_caching = gradient_caching

    def batch(self, step: int) -> SiameseBatch:
        chosen = self.epochs.examples(step)
        columns = [column[column != NO_TEXT] for column in self.examples.text_ids[:, chosen]]
        columns = [column for column in columns if len(column)]
        ends = np.cumsum([len(column) for column in columns[:-1]], dtype=int).tolist()
        targets = columns if self.examples.targets is None else self.examples.targets[chosen]
        return SiameseBatch(self.examples.tokens.select(np.concatenate(columns)), ends, targets)

    def gradients(
        self, workers: Workers[SiameseNetwork], batch: SiameseBatch, rng: np.random.Generator | None
    ) -> tuple[dict[str, float], float]:
        shards = equal_shards(batch.lengths, self.num_shards)
        rngs = children(rng, len(shards))

        def encode(network: SiameseNetwork, shard: IntArray, index: int) -> tuple[np.ndarray, SentenceEncoderCache]:
            return network.encoder.forward(batch.tokens.select(shard), deepcopy(rngs[index]))

        def first_pass(network: SiameseNetwork, shard: IntArray, index: int) -> tuple[np.ndarray, Any]:
            embeddings, cache = encode(network, shard, index)
            return embeddings, None if self.gradient_caching else cache

        workers.zero_grad()
        parts, caches = zip(*workers.map(shards, first_pass), strict=True)
        embeddings = np.concatenate(parts)[np.argsort(np.concatenate(shards))]  # in the batch's order
        objective = workers.model.objective
        loss, objective_cache = objective.forward(tuple(np.split(embeddings, batch.ends)), batch.targets)
        d_embeddings = np.concatenate(objective.backward(objective_cache))

        def backward(network: SiameseNetwork, shard: IntArray, index: int) -> None:
            cache = encode(network, shard, index)[1] if self.gradient_caching else caches[index]
            network.encoder.backward(d_embeddings[shard], cache)

        workers.map(shards, backward)
        return {"loss": loss}, workers.add_up_gradients()
