"""Our training steps, for the benchmarks to measure: those of the training loop, without its log and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np

from minitransformer import AdamW, BertConfig, PackedTokens, PretrainingBatch, Workers, clip_scale
from minitransformer.batches.batch import Batch
from minitransformer.batches.sentence_examples import SentenceExamples
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.randomness import generator
from minitransformer.training.memory import keep_freed_memory
from minitransformer.training.tasks.sentences import SiameseTask
from minitransformer.training.tasks.task import Task

MASKED_SHARE = 0.15


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
        loss, norm = self._gradients(generator(0, "dropout", self.optimizer.num_steps))
        self.optimizer.step(1e-4, clip_scale(norm, 1.0), self.pool.spread)
        return loss

    def loss_and_norm(self) -> tuple[float, float]:
        """The loss of the next batch without dropout, and the length of its gradient."""
        return self._gradients(None)

    def _gradients(self, rng: np.random.Generator | None) -> tuple[float, float]:
        metrics, norm = self.task.gradients(self.pool, next(self.batches), rng)
        return metrics["loss"], norm


def random_batch(config: BertConfig, num_sequences: int, length: int) -> PretrainingBatch:
    """Random tokens, `length` of them in each sequence; what a token is has no part in the time."""
    rng = np.random.default_rng(0)
    tokens = PackedTokens.pack(rng.integers(0, config.vocab_size, (num_sequences, length)))
    num_rows = len(tokens.token_ids)
    masked = np.sort(rng.permutation(num_rows)[: round(MASKED_SHARE * num_rows)])
    masked_ids = rng.integers(0, config.vocab_size, len(masked))
    return PretrainingBatch(tokens, masked, masked_ids, rng.integers(0, 2, num_sequences))


def pretraining_step(pool: Workers, batch: Batch) -> OurStep:
    """Steps that all learn one batch."""
    return OurStep(Task(lambda step: batch, pool.count), 1, pool)


class ScoredPairs(NamedTuple):
    """Tokenised pairs of texts and the cosines that they should have."""

    tokens: PackedTokens  # 2 S sequences: the first texts of all pairs, then the second ones
    cosines: np.ndarray  # (S,), from 0 to 1


def finetuning_step(pool: Workers[SiameseNetwork], batches: Sequence[ScoredPairs]) -> OurStep:
    """Steps that learn the batches one after the other, again and again."""
    batch_size = len(batches[0].cosines)
    tokens = PackedTokens.pack([ids for batch in batches for ids in batch.tokens.unpack(batch.tokens.token_ids)])
    first = np.concatenate([2 * batch_size * i + np.arange(batch_size) for i in range(len(batches))])
    cosines = np.concatenate([batch.cosines for batch in batches])
    examples = SentenceExamples(tokens, np.stack([first, first + batch_size]), cosines)
    steps = np.split(np.arange(len(cosines)), len(batches))
    return OurStep(SiameseTask(lambda step: examples.select(steps[step]), pool.count), len(batches), pool)
