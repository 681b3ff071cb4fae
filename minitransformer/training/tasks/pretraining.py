"""Pretraining as a task of the training loop: masked tokens and next sentences, a batch for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.batches.shards import bounded_shards, sum_of_shares
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss, StepCounts
from minitransformer.training.tasks.task import RngOfShard, Task
from minitransformer.training.workers import Workers


class PretrainingShard(NamedTuple):
    """A part of a step's batch, with the counts of the whole step that its means divide by."""

    batch: PretrainingBatch
    counts: StepCounts


class PretrainingTask(Task[BertForPreTraining, list[PretrainingShard]]):
    """Cuts each step's batch into shards, whose losses and gradients add up to those of the batch in one piece.

    More shards than workers is gradient accumulation: a worker takes its shards one after the other and needs the
    memory of one. Large batches are cut into more than num_shards for that (batches/shards.py). The number of shards,
    not of workers, decides the dropout masks.
    """

    def __init__(self, batch_of_step: Callable[[int], PretrainingBatch], num_shards: int) -> None:
        self.batch_of_step = batch_of_step
        self.num_shards = num_shards

    def batch(self, step: int) -> list[PretrainingShard]:
        batch = self.batch_of_step(step)
        counts = StepCounts(len(batch.masked_ids), len(batch))
        shards = bounded_shards(batch.tokens.lengths, self.num_shards)
        return [PretrainingShard(batch.select(sentences), counts) for sentences in shards]

    def num_tokens(self, batch: list[PretrainingShard]) -> int:
        return sum(len(shard.batch.tokens.token_ids) for shard in batch)

    def gradients(
        self, pool: Workers[BertForPreTraining], batch: list[PretrainingShard], rng_of_shard: RngOfShard
    ) -> dict[str, float]:
        def work(model: BertForPreTraining, shard: PretrainingShard, index: int) -> PretrainingLoss:
            loss, cache = model.forward(shard.batch, rng_of_shard(index), shard.counts)
            model.backward(cache)
            return loss

        loss = sum_of_shares(pool.gradients(batch, work))
        return {"loss": loss.total, **loss._asdict()}
