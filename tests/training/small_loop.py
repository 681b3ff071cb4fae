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
from minitransformer.training.tasks.pretraining import PretrainingTask
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
    checkpoints = Checkpoints(folder / "checkpoints", {"seed": settings.seed, "dropout": dropout}, lambda folder: None)
    task = PretrainingTask(batch_of_step, num_shards)
    metrics_file = folder / "metrics.jsonl"
    return TrainingLoop(model, task, settings, checkpoints, metrics_file, lambda: held_out(model), steps, save_every)


def held_out(model: BertForPreTraining) -> PretrainingLoss:
    return model.forward(random_batch(1_000_000))[0]
