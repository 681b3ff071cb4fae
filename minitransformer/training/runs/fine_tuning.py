"""A run that trains a model further on a table of examples, and keeps the best of what it saw."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitransformer.batches.epochs import Epochs
from minitransformer.formatting import in_words
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.lora import LoraTrainingSettings, frozen_identity
from minitransformer.training.runs.best import BestModelRun
from minitransformer.training.runs.run import check_more_than_once
from minitransformer.training.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FineTuningSettings(LoraTrainingSettings):
    """What a fine-tuning run is told, in addition to what LoraTrainingSettings names.

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


class FineTuningRun(BestModelRun):
    """A subclass's prepare() reads the model and the `examples` to learn from, then calls this one.

    Of an evaluation's metrics the first one counts: the larger, the better.
    """

    settings: FineTuningSettings
    tokenizer: BertTokenizer
    examples: Any  # with a length, and a batch for each selection of them
    column_names: tuple[str, ...]  # of the training table
    smallest_batch = 1  # examples that there is something to learn from

    def prepare(self) -> None:
        settings = self.settings
        epochs = Epochs(len(self.examples), settings.batch_size, settings.seed, self.smallest_batch)
        self.task = self.make_task(lambda step: self.examples.select(epochs.examples(step)))
        self.steps = settings.epochs * epochs.steps_per_epoch
        self.save_every = -(-epochs.steps_per_epoch // settings.evaluations_per_epoch)

    def check_tables(self) -> None:
        """Raise UserError for tables that can be read only once: here, and each time that the run is resumed."""
        check_more_than_once(self.settings.train, self.settings.dev)

    def make_task(self, batch: Callable[[int], Any]) -> Task:
        return Task(batch, self.settings.num_shards)

    def worth(self, metrics: Mapping[str, float]) -> float:
        """The first metric; nan, the correlation of embeddings that are all the same, is worth the least."""
        first = next(iter(metrics.values()))
        return -math.inf if math.isnan(first) else first

    def identity(self) -> dict[str, Any]:
        tables = {"train": self.settings.train, "dev": self.settings.dev}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        return {**super().identity(), **checksums, **frozen_identity(self.model, self.settings)}

    def describe(self) -> str:
        settings = self.settings
        return (
            f"Model: {settings.model}, {self.model.num_parameters:,} parameters, "
            f"{self.model.storage.values.size:,} of them trained\n"
            f"Training: {len(self.examples):,} examples of {settings.train}; epochs: {settings.epochs}, "
            f"steps: {self.steps:,} of {settings.batch_size} examples\n"
            f"Columns: {', '.join(self.column_names)}"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        return f"The best model on {self.settings.dev}: {in_words(metrics)}"
