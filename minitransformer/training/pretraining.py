"""Pretraining as a task of the training loop: masked tokens and next sentences, a batch for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minitransformer.models.pretraining import BertForPreTraining, PretrainingLoss, StepCounts
from minitransformer.text.pretraining_batch import PretrainingBatch
from minitransformer.training.loop import Task
from minitransformer.training.shards import equal_shards


class PretrainingShard(NamedTuple):
    """A part of a step's batch, with the counts of the whole step that its means divide by."""

    batch: PretrainingBatch
    counts: StepCounts


class PretrainingTask(Task[BertForPreTraining, PretrainingShard]):
    """Cuts each step's batch into shards, whose losses and gradients add up to those of the batch in one piece.

    More shards than workers is gradient accumulation: a worker takes its shards one after the other and needs the
    memory of one. The number of shards, not of workers, decides the dropout masks.
    """

    def __init__(self, batch_of_step: Callable[[int], PretrainingBatch], num_shards: int) -> None:
        self.batch_of_step = batch_of_step
        self.num_shards = num_shards

    def shards(self, step: int) -> list[PretrainingShard]:
        batch = self.batch_of_step(step)
        counts = StepCounts(len(batch.masked_ids), len(batch))
        shards = equal_shards(batch.tokens.lengths, self.num_shards)
        return [PretrainingShard(batch.select(sentences), counts) for sentences in shards]

    def num_tokens(self, shard: PretrainingShard) -> int:
        return len(shard.batch.tokens.token_ids)

    def gradients(
        self, model: BertForPreTraining, shard: PretrainingShard, rng: np.random.Generator
    ) -> PretrainingLoss:
        loss, cache = model.forward(shard.batch, rng, shard.counts)
        model.backward(cache)
        return loss
