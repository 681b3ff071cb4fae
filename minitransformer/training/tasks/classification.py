"""Fine-tuning a classifier as a task of the training loop: texts with classes or scores, cut into shards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.shards import bounded_shards
from minitransformer.models.bert_for_sequence_classification import BertForSequenceClassification
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.tasks.task import RngOfShard, Task
from minitransformer.training.workers import Workers


class ClassifierShard(NamedTuple):
    """A part of a step's texts, with how many texts the whole step has."""

    tokens: PackedTokens
    targets: np.ndarray
    texts_of_step: int


class ClassifierTask(Task[BertForSequenceClassification, list[ClassifierShard]]):
    """Each step's texts in shards, whose losses and gradients add up to those of the step in one piece.

    tokens has a sentence for each example, and targets an entry or a row (BertForSequenceClassification.forward).
    """

    def __init__(self, tokens: PackedTokens, targets: np.ndarray, epochs: Epochs, num_shards: int) -> None:
        self.tokens = tokens
        self.targets = targets
        self.epochs = epochs
        self.num_shards = num_shards

    def batch(self, step: int) -> list[ClassifierShard]:
        chosen = self.epochs.examples(step)
        shards = [chosen[shard] for shard in bounded_shards(self.tokens.lengths[chosen], self.num_shards)]
        return [ClassifierShard(self.tokens.select(shard), self.targets[shard], len(chosen)) for shard in shards]

    def num_tokens(self, batch: list[ClassifierShard]) -> int:
        return sum(len(shard.tokens.token_ids) for shard in batch)

    def gradients(
        self,
        pool: Workers[BertForSequenceClassification],
        batch: list[ClassifierShard],
        rng_of_shard: RngOfShard,
    ) -> dict[str, float]:
        def work(model: BertForSequenceClassification, shard: ClassifierShard, index: int) -> float:
            loss, cache = model.forward(shard.tokens, shard.targets, rng_of_shard(index), shard.texts_of_step)
            model.backward(cache)
            return loss

        return {"loss": sum(pool.gradients(batch, work))}
