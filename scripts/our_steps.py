"""Our training steps, for bench_pretrain.py to measure: those of the training loop, without its log and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from minitransformer import BertForPreTraining, PackedTokens, PretrainingBatch
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.randomness import generator
from minitransformer.training.adamw import AdamW
from minitransformer.training.clipping import clip_scale, global_norm
from minitransformer.training.loop import Task, sum_of_shares
from minitransformer.training.pretraining import PretrainingTask
from minitransformer.training.shards import equal_shards
from minitransformer.training.workers import Workers


class OurStep:
    """Training steps of a task on a pool of workers. Calling it takes the next one and returns the loss.

    The shards are there before a step begins, as in the training loop, where a thread makes them a step ahead.
    """

    def __init__(self, task: Task, num_batches: int, pool: Workers) -> None:
        self.task = task
        self.pool = pool
        self.optimizer = AdamW(pool.model.storage)
        self.shards = cycle([task.shards(number) for number in range(num_batches)])

    def __call__(self) -> float:
        loss, norm = self._gradients(lambda shard: generator(0, "dropout", self.optimizer.num_steps, shard))
        self.optimizer.step(1e-4, clip_scale(norm, 1.0))
        return loss

    def loss_and_norm(self) -> tuple[float, float]:
        """The loss of the next batch without dropout, and the length of its gradient."""
        return self._gradients(lambda shard: None)

    def _gradients(self, rng: Callable[[int], np.random.Generator | None]) -> tuple[float, float]:
        def work(model: Any, shard: Any, index: int) -> Any:
            return self.task.gradients(model, shard, rng(index))

        loss = sum_of_shares(self.pool.gradients(next(self.shards), work))
        return loss.total, global_norm(self.pool.model.storage.gradients)


def pretraining_step(pool: Workers[BertForPreTraining], batch: PretrainingBatch) -> OurStep:
    """Steps that all learn one batch."""
    return OurStep(PretrainingTask(lambda step: batch, pool.count), 1, pool)


class ScoredPairs(NamedTuple):
    """Tokenised pairs of texts and the cosines that they should have."""

    tokens: PackedTokens  # 2 S sentences: the first texts of all pairs, then the second ones
    cosines: np.ndarray  # (S,), from 0 to 1

    def select(self, pairs: np.ndarray) -> ScoredPairs:
        return ScoredPairs(self.tokens.select([*pairs, *(pairs + len(self.cosines))]), self.cosines[pairs])


class RegressionLoss(NamedTuple):
    total: float


class RegressionTask(Task[SentenceEncoder, tuple[ScoredPairs, float]]):
    """The squared error of the cosine. A shard is some pairs of a batch and their share of its mean."""

    def __init__(self, batches: Sequence[ScoredPairs], num_shards: int) -> None:
        self.batches = batches
        self.num_shards = num_shards

    def shards(self, step: int) -> list[tuple[ScoredPairs, float]]:
        batch = self.batches[step]
        lengths_of_pairs = batch.tokens.lengths.reshape(2, -1).sum(axis=0)
        shards = equal_shards(lengths_of_pairs, self.num_shards)
        return [(batch.select(pairs), len(pairs) / len(batch.cosines)) for pairs in shards]

    def num_tokens(self, shard: tuple[ScoredPairs, float]) -> int:
        return int(shard[0].tokens.lengths.sum())

    def gradients(
        self, model: SentenceEncoder, shard: tuple[ScoredPairs, float], rng: np.random.Generator | None
    ) -> RegressionLoss:
        pairs, share = shard
        objective = RegressionObjective()
        embeddings, encoder_cache = model.forward(pairs.tokens, rng)
        u, v = np.split(embeddings, 2)
        loss, cache = objective.forward((u, v), pairs.cosines)
        model.backward(share * np.concatenate(objective.backward(cache)), encoder_cache)
        return RegressionLoss(share * loss)


def finetuning_step(pool: Workers[SentenceEncoder], batches: Sequence[ScoredPairs]) -> OurStep:
    """Steps that learn the batches one after the other, again and again."""
    return OurStep(RegressionTask(batches, pool.count), len(batches), pool)
