"""A run that trains a model further on a table of examples, and keeps the best of what it saw.

Its folder is that of training/runs/run.py, and while it trains

  training/
    best/             the model with the best evaluation so far, a folder like the finished one
    best.json         that evaluation
"""

import math
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitransformer.batches.epochs import Epochs
from minitransformer.files import json_text, read_json_object, replace_all
from minitransformer.formatting import in_words
from minitransformer.training.runs.run import Run
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FineTuningSettings(TrainingSettings):
    """What a fine-tuning run is told, in addition to what TrainingSettings names.

    model, train, dev      the folder or hub name of the model, the tables to learn from and to evaluate on
    epochs                 times through the training table
    batch_size             examples per step
    evaluations_per_epoch  how often the model is evaluated and a checkpoint saved
    max_length             tokens of a text, the special ones included; None for as many as the model takes
    """

    model: str
    train: str
    dev: str
    epochs: int
    batch_size: int
    evaluations_per_epoch: int = 2
    max_length: int | None = None


class FineTuningRun(Run):
    """A subclass's prepare() reads the model and the `examples` to learn from, then calls this one.

    Of an evaluation's metrics the first one counts: the larger, the better.
    """

    settings: FineTuningSettings
    examples: Any  # with a length, and a batch for each selection of them

    def __init__(self, folder: Path, settings: FineTuningSettings) -> None:
        super().__init__(folder, settings)
        self.best_folder, self.best_file = self.training_folder / "best", self.training_folder / "best.json"

    def prepare(self) -> None:
        settings = self.settings
        epochs = Epochs(len(self.examples), settings.batch_size, settings.seed)
        self.task = self.make_task(lambda step: self.examples.select(epochs.examples(step)))
        self.steps = settings.epochs * epochs.steps_per_epoch
        self.save_every = -(-epochs.steps_per_epoch // settings.evaluations_per_epoch)

    def make_task(self, batch: Callable[[int], Any]) -> Task:
        return Task(batch, self.settings.num_shards)

    def train(self, workers: int | None = None) -> dict[str, float]:
        self.loop().run(workers)
        self.model.restore(self.best_folder)
        self.finish()
        shutil.rmtree(self.best_folder, ignore_errors=True)
        return read_json_object(self.best_file)

    def keep(self, evaluation: Any) -> None:
        """Save the model if it is better than the best one before."""
        metrics = evaluation._asdict()
        if self.best_file.exists() and _worth(metrics) <= _worth(read_json_object(self.best_file)):
            return
        self.tokenizer.save_pretrained(self.best_folder)
        self.model.save_pretrained(self.best_folder)
        replace_all(self.training_folder, {self.best_file.name: json_text(metrics)})

    def identity(self) -> dict[str, Any]:
        tables = {"train": self.settings.train, "dev": self.settings.dev}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        return {**super().identity(), **checksums}

    def describe(self) -> str:
        settings = self.settings
        return (
            f"Model: {settings.model}, {self.model.num_parameters:,} parameters\n"
            f"Training: {len(self.examples):,} examples of {settings.train}; epochs: {settings.epochs}, "
            f"steps: {self.steps:,} of {settings.batch_size} examples"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        return f"The best model on {self.settings.dev}: {in_words(metrics)}"


def _worth(metrics: Mapping[str, float]) -> float:
    """The first metric; nan, the correlation of embeddings that are all the same, is worth the least."""
    first = next(iter(metrics.values()))
    return -math.inf if math.isnan(first) else first
