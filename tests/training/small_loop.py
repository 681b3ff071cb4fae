"""Small training runs on random batches, for the tests of the loop and of what it stands on."""

from pathlib import Path

import numpy as np

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.checkpoint import Checkpoints
from minitransformer.training.loop import TrainingLoop
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task
from tests.small_models import small_config


def random_batch(step: int, num_pairs: int = 11, vocab_size: int = 23) -> PretrainingBatch:
    """A batch of pairs of 3 to 9 random tokens; the last pair has no masked token."""
    rng = generator(5, "random batch", step)
    lengths = rng.integers(3, 10, num_pairs)
    tokens = PackedTokens.pack(
        [rng.integers(1, vocab_size, length) for length in lengths],
        [(np.arange(length) > length // 2).astype(int) for length in lengths],
    )
    masked = np.sort(rng.permutation(tokens.starts[-1])[: num_pairs * 2])
    return PretrainingBatch(tokens, masked, tokens.token_ids[masked], rng.integers(0, 2, num_pairs))


def make_loop(
    folder: Path,
    batch_of_step=random_batch,
    num_shards=2,
    dropout=0.1,
    dtype=np.float32,
    steps=12,
    save_every=4,
    **settings,
) -> TrainingLoop:
    settings = TrainingSettings(**{"learning_rate": 1e-2, "seed": 3, **settings})
    config = small_config(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    model = BertForPreTraining(config, seed=settings.seed, dtype=dtype)
    return TrainingLoop(
        model=model,
        task=Task(batch_of_step, num_shards),
        settings=settings,
        steps=steps,
        save_every=save_every,
        checkpoints=Checkpoints(
            folder / "checkpoints", {"seed": settings.seed, "dropout": dropout}, lambda folder: None
        ),
        metrics_file=folder / "metrics.jsonl",
        evaluate=lambda: held_out(model),
        keep=lambda evaluation: None,
    )


def held_out(model: BertForPreTraining) -> PretrainingLoss:
    return model.forward(random_batch(1_000_000))[0]


class RecordingTask(Task):
    """The task that it is given, and a record of what each step was given: workers, batch and rng."""

    def __init__(self, task):
        super().__init__(task.batch, task.num_shards)
        self.steps = []

    def gradients(self, workers, batch, rng):
        self.steps.append((workers, batch, rng))
        return super().gradients(workers, batch, rng)


class DisturbedTask(Task):
    """The task that it is given; `disturb(metrics, norm)` changes what the gradients of one step return."""

    def __init__(self, task, step, disturb):
        super().__init__(task.batch, task.num_shards)
        self.step = step
        self.disturb = disturb
        self.steps_begun = 0

    def gradients(self, workers, batch, rng):
        self.steps_begun += 1
        metrics, norm = super().gradients(workers, batch, rng)
        return self.disturb(metrics, norm) if self.steps_begun == self.step else (metrics, norm)
