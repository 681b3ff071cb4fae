"""Training sentence embeddings as a task of the training loop: two or three texts an example, one encoder for all.

An objective needs the embeddings of the whole batch, since in some every example is a negative of the others. So a step
goes forwards on shards, through the objective in one piece, and backwards on the same shards:

    embeddings = [encoder(shard) for shard in shards]                 each worker its shards
    loss, d_embeddings = objective(embeddings), and its backward
    encoder.backward(d_embeddings[shard], cache of shard)             each worker its shards, gradients added up

The texts of an example are sentences of one batch like any others: the encoder's gradient is the sum over all of them.

Between the two passes every shard's cache is in memory. With gradient caching (Gao et al. 2021, arXiv 2101.06983) none
is: the backward pass makes each shard's cache again, with the same dropout masks, one at a time. The gradient is the
same, for a third more work, and a batch may be as large as its embeddings fit into memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.sentence_examples import NO_TEXT, SentenceExamples
from minitransformer.batches.shards import equal_shards
from minitransformer.models.sentence_encoder import SentenceEncoderCache
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.text.packed_tokens import IntArray, PackedTokens
from minitransformer.training.tasks.task import RngOfShard, Task
from minitransformer.training.workers import Workers


class SiameseShard(NamedTuple):
    """Some sentences of a batch."""

    sentences: IntArray  # their numbers in the batch
    tokens: PackedTokens


class SiameseBatch(NamedTuple):
    """The sentences of a step: the first texts of all examples, then the second ones, then the third."""

    shards: list[SiameseShard]
    ends: list[int]  # where each of these columns but the last ends
    targets: Any  # what the objective asks for


class SiameseTask(Task[SiameseNetwork, SiameseBatch]):
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
        tokens = self.examples.tokens.select(np.concatenate(columns))
        shards = equal_shards(tokens.lengths, self.num_shards)
        ends = np.cumsum([len(column) for column in columns[:-1]], dtype=int).tolist()
        targets = columns if self.examples.targets is None else self.examples.targets[chosen]
        return SiameseBatch([SiameseShard(shard, tokens.select(shard)) for shard in shards], ends, targets)

    def num_tokens(self, batch: SiameseBatch) -> int:
        return sum(len(shard.tokens.token_ids) for shard in batch.shards)

    def gradients(
        self, pool: Workers[SiameseNetwork], batch: SiameseBatch, rng_of_shard: RngOfShard
    ) -> dict[str, float]:
        pool.zero_grad()
        embeddings, caches = self._encode(pool, batch, rng_of_shard)
        objective = pool.model.objective
        loss, cache = objective.forward(tuple(np.split(embeddings, batch.ends)), batch.targets)
        d_embeddings = np.concatenate(objective.backward(cache))

        def backward(network: SiameseNetwork, shard: SiameseShard, index: int) -> None:
            cache = caches[index]
            if cache is None:
                _, cache = network.encoder.forward(shard.tokens, rng_of_shard(index))
            network.encoder.backward(d_embeddings[shard.sentences], cache)

        pool.map(batch.shards, backward)
        pool.add_up_gradients()
        return {"loss": loss}

    def _encode(
        self, pool: Workers[SiameseNetwork], batch: SiameseBatch, rng_of_shard: RngOfShard
    ) -> tuple[np.ndarray, list[SentenceEncoderCache | None]]:
        """The embeddings of all sentences (n, D) in the batch's order, and each shard's cache, unless made again."""

        def forward(
            network: SiameseNetwork, shard: SiameseShard, index: int
        ) -> tuple[np.ndarray, SentenceEncoderCache | None]:
            embeddings, cache = network.encoder.forward(shard.tokens, rng_of_shard(index))
            return embeddings, None if self.gradient_caching else cache

        parts, caches = zip(*pool.map(batch.shards, forward), strict=True)
        order = np.argsort(np.concatenate([shard.sentences for shard in batch.shards]))
        return np.concatenate(parts)[order], list(caches)
