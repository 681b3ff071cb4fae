"""A run that fine-tunes a model that is there already on a table of examples, and keeps the best of what it saw.

Its folder is that of training/runs/run.py, and while it trains

  training/
    best/             the model with the best evaluation so far, a folder like the finished one
    best.json         that evaluation
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from minitransformer.batches.epochs import Epochs
from minitransformer.files import json_text, read_json_object, replacing, write_text
from minitransformer.models.trainable import TrainableModel
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.checkpoint import Checkpoints
from minitransformer.training.loop import TrainingLoop
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.runs.run import TrainingRun
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FineTuningSettings(TrainingSettings):
    """What a fine-tuning run is told, beside what TrainingSettings names.

    model, train, dev      the folder or hub name of the model, the tables to learn from and to evaluate on
    epochs                 times through the training table
    batch_size             examples of a step
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


class FineTuningRun(TrainingRun, ABC):
    """A subclass has the model and the number of examples, and says what the task is."""

    settings: FineTuningSettings
    model: TrainableModel
    tokenizer: BertTokenizer
    num_examples: int

    @abstractmethod
    def task(self, epochs: Epochs) -> Task:
        """What is trained on the examples that the epochs deal out."""

    def rate_factors(self) -> list[RateFactor] | None:
        """Where the learning rates of layers differ; None if they don't."""
        return None

    @property
    def epochs(self) -> Epochs:
        return Epochs(self.num_examples, self.settings.batch_size, self.settings.seed)

    @property
    def steps(self) -> int:
        return self.settings.epochs * self.epochs.steps_per_epoch

    def loop(self, evaluate: Callable[[], Any]) -> TrainingLoop:
        """The loop that trains the model, from the last checkpoint on if there is one.

        `evaluate` gives a NamedTuple of metrics of the model on the dev table; a larger first one is better.
        """
        tables = {"train": self.settings.train, "dev": self.settings.dev}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        run = {**dataclasses.asdict(self.settings), **checksums}
        return TrainingLoop(
            self.model,
            self.task(self.epochs),
            self.settings,
            Checkpoints(self.checkpoints_folder, run, self.tokenizer.save_pretrained),
            self.metrics_file,
            partial(self._evaluate_and_keep_the_best, evaluate),
            self.steps,
            save_every=-(-self.epochs.steps_per_epoch // self.settings.evaluations_per_epoch),
            rate_factors=self.rate_factors(),
        )

    def finish(self) -> dict[str, float]:
        """Write the best model into the folder, remove what was needed on the way, and return its evaluation."""
        self.model.restore(self._best_folder)
        self.tokenizer.save_pretrained(self.folder)
        self.model.save_pretrained(self.folder)
        best = read_json_object(self._best_file)
        for folder in (self.checkpoints_folder, self._best_folder):
            shutil.rmtree(folder, ignore_errors=True)
        return best

    @property
    def _best_folder(self) -> Path:
        return self.training_folder / "best"

    @property
    def _best_file(self) -> Path:
        return self.training_folder / "best.json"

    def _evaluate_and_keep_the_best(self, evaluate: Callable[[], Any]) -> Any:
        scores = evaluate()
        if not self._best_file.exists() or _worth(scores._asdict()) > _worth(read_json_object(self._best_file)):
            self.tokenizer.save_pretrained(self._best_folder)
            self.model.save_pretrained(self._best_folder)
            with replacing(self._best_file) as file:
                write_text(json_text(scores._asdict()), file)
        return scores


def _worth(metrics: dict[str, float]) -> float:
    """The first metric; nan, the correlation of embeddings that are all the same, is worth the least."""
    first = next(iter(metrics.values()))
    return -math.inf if math.isnan(first) else first
