"""A run that trains a model further on a table of examples, and keeps the best of what it saw."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitransformer.batches.epochs import Epochs
from minitransformer.errors import UserError
from minitransformer.formatting import in_words
from minitransformer.interop.lora_settings import LoraSettings
from minitransformer.interop.model_files import ModelFiles
from minitransformer.models.lora import add_lora
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.runs.best import BestModelRun
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
    lora                   the rank of the updates that are trained in place of the model's weights (models/lora.py);
                           None to train the weights themselves
    lora_alpha             what the updates are multiplied by, times the rank; None for twice the rank
    lora_dropout           of what goes into them
    """

    model: str
    train: str
    dev: str
    epochs: int
    batch_size: int
    evaluations_per_epoch: int = 2
    max_length: int | None = None
    lora: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float = 0.0


class FineTuningRun(BestModelRun):
    """A subclass's prepare() reads the model and the `examples` to learn from, then calls this one.

    Of an evaluation's metrics the first one counts: the larger, the better.
    """

    settings: FineTuningSettings
    tokenizer: BertTokenizer
    examples: Any  # with a length, and a batch for each selection of them

    def prepare(self) -> None:
        settings = self.settings
        epochs = Epochs(len(self.examples), settings.batch_size, settings.seed)
        self.task = self.make_task(lambda step: self.examples.select(epochs.examples(step)))
        self.steps = settings.epochs * epochs.steps_per_epoch
        self.save_every = -(-epochs.steps_per_epoch // settings.evaluations_per_epoch)

    def add_lora(self, model: PretrainedModel, heads: tuple[str, ...] = ()) -> None:
        """If the settings say so, train updates of low rank in place of the weights, and the heads as before."""
        settings = self.settings
        if not settings.lora:
            if settings.lora_alpha or settings.lora_dropout:
                raise UserError("--lora-alpha and --lora-dropout belong to --lora; give its rank, or leave them out")
            return
        if ModelFiles.of(settings.model).are_adapted:
            merge = f"minitransformer merge-lora MODEL {settings.model} --out DIR"
            raise UserError(f"{settings.model} is an adapter, and --lora would put one on top of it; first {merge}")
        alpha, targets = settings.lora_alpha or 2 * settings.lora, model.layout.lora_targets
        lora = LoraSettings(settings.lora, alpha, targets, settings.lora_dropout, base=settings.model)
        add_lora(model, lora, heads, settings.seed)

    def make_task(self, batch: Callable[[int], Any]) -> Task:
        return Task(batch, self.settings.num_shards)

    def worth(self, metrics: Mapping[str, float]) -> float:
        """The first metric; nan, the correlation of embeddings that are all the same, is worth the least."""
        first = next(iter(metrics.values()))
        return -math.inf if math.isnan(first) else first

    def identity(self) -> dict[str, Any]:
        tables = {"train": self.settings.train, "dev": self.settings.dev}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        if self.settings.lora:  # no checkpoint has what is frozen
            frozen = next(p.storage.values for _, p in self.model.named_parameters() if not p.trained)
            checksums["checksum of MODEL"] = zlib.crc32(frozen)
        return {**super().identity(), **checksums}

    def describe(self) -> str:
        settings = self.settings
        return (
            f"Model: {settings.model}, {self.model.num_parameters:,} parameters, "
            f"{self.model.storage.values.size:,} of them trained\n"
            f"Training: {len(self.examples):,} examples of {settings.train}; epochs: {settings.epochs}, "
            f"steps: {self.steps:,} of {settings.batch_size} examples"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        return f"The best model on {self.settings.dev}: {in_words(metrics)}"
