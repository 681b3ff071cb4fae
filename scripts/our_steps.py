"""Our training steps, for bench_pretrain.py to measure: those of the training loop, without its log and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from minitransformer import BertForPreTraining, PackedTokens, PretrainingBatch
from minitransformer.batches.sentence_examples import SentenceExamples
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.randomness import generator
from minitransformer.training.memory import keep_freed_memory
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale
from minitransformer.training.tasks.pretraining import PretrainingTask
from minitransformer.training.tasks.sentences import SiameseTask
from minitransformer.training.tasks.task import RngOfShard, Task
from minitransformer.training.workers import Workers


class OurStep:
    """Training steps of a task on a pool of workers. Calling it takes the next one and returns the loss.

    The batches are there before a step begins, as in the training loop, where a thread makes them a step ahead.
    """

    def __init__(self, task: Task, num_batches: int, pool: Workers) -> None:
        keep_freed_memory()  # as the training loop does
        self.task = task
        self.pool = pool
        self.optimizer = AdamW(pool.model.storage)
        self.batches = cycle([task.batch(number) for number in range(num_batches)])

    def __call__(self) -> float:
        loss, norm = self._gradients(partial(generator, 0, "dropout", self.optimizer.num_steps))
        self.optimizer.step(1e-4, clip_scale(norm, 1.0), self.pool.spread)
        return loss

    def loss_and_norm(self) -> tuple[float, float]:
        """The loss of the next batch without dropout, and the length of its gradient."""
        return self._gradients(lambda shard: None)

    def _gradients(self, rng_of_shard: RngOfShard) -> tuple[float, float]:
        metrics = self.task.gradients(self.pool, next(self.batches), rng_of_shard)
        return metrics["loss"], self.pool.gradient_norm


def pretraining_step(pool: Workers[BertForPreTraining], batch: PretrainingBatch) -> OurStep:
    """Steps that all learn one batch."""
    return OurStep(PretrainingTask(lambda step: batch, pool.count), 1, pool)


class ScoredPairs(NamedTuple):
    """Tokenised pairs of texts and the cosines that they should have."""

    tokens: PackedTokens  # 2 S sentences: the first texts of all pairs, then the second ones
    cosines: np.ndarray  # (S,), from 0 to 1


class GivenBatches:
    """Batches one after the other, for a task that asks which examples a step has."""

    def __init__(self, num_examples: int, batch_size: int) -> None:
        self.steps = np.split(np.arange(num_examples), range(batch_size, num_examples, batch_size))

    def examples(self, step: int) -> np.ndarray:
        return self.steps[step]


def finetuning_step(pool: Workers[SiameseNetwork], batches: Sequence[ScoredPairs]) -> OurStep:
    """Steps that learn the batches one after the other, again and again."""
    batch_size = len(batches[0].cosines)
    tokens = PackedTokens.pack([ids for batch in batches for ids in batch.tokens.unpack(batch.tokens.token_ids)])
    first = np.concatenate([2 * batch_size * i + np.arange(batch_size) for i in range(len(batches))])
    cosines = np.concatenate([batch.cosines for batch in batches])
    examples = SentenceExamples(tokens, np.stack([first, first + batch_size]), cosines)
    task: Any = SiameseTask(examples, GivenBatches(len(cosines), batch_size), pool.count)
    return OurStep(task, len(batches), pool)
