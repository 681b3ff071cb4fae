"""A training run and its folder, resumable at any moment.

folder/
  ...                  the trained model and its tokenizer, once the run is finished
  metrics.jsonl        a line for each step and each evaluation
  training/
    settings.json      what the run was told
    checkpoints/       the last checkpoint (training/checkpoint.py), until the run is finished
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from minitransformer.errors import UserError
from minitransformer.files import json_text, read_json_object, replacing
from minitransformer.interop.safetensors_files import WEIGHTS_FILE
from minitransformer.training.settings import TrainingSettings

METRICS_FILE = "metrics.jsonl"
RUN_SETTINGS_FILE = Path("training", "settings.json")

Run = TypeVar("Run", bound="TrainingRun")


class TrainingRun:
    """Made by start(), resume() or open() of a subclass, which says what is trained on what."""

    settings_type: ClassVar[type[TrainingSettings]]

    def __init__(self, folder: Path, settings: Any) -> None:
        self.folder = folder
        self.settings = settings
        self.metrics_file = folder / METRICS_FILE
        self.training_folder = training_folder(folder)
        self.checkpoints_folder = self.training_folder / "checkpoints"

    @classmethod
    def start(cls: type[Run], folder: Path, settings: Any) -> Run:
        """A new run in a folder that is empty or doesn't exist yet.

        Raises UserError if the folder holds something or the data can't be used, and then leaves nothing behind.
        """
        check_new(folder)
        created = not folder.exists()
        try:
            with replacing(settings_file(folder)) as file:
                file.write_text(json_text(dataclasses.asdict(settings)), encoding="utf-8")
            return cls(folder, settings)
        except BaseException:
            shutil.rmtree(folder if created else training_folder(folder), ignore_errors=True)
            raise

    @classmethod
    def resume(cls: type[Run], folder: Path) -> Run:
        """The unfinished run in a folder. Raises UserError if there is none."""
        run = cls.open(folder)
        if (folder / WEIGHTS_FILE).exists():
            raise UserError(f"the training run in {folder} is finished: there is nothing to resume")
        return run

    @classmethod
    def open(cls: type[Run], folder: Path) -> Run:
        """The run in a folder, finished or not. Raises UserError if there is none, or one of another kind."""
        file = settings_file(folder)
        if not file.exists():
            raise UserError(f"{folder} holds no training run: there is no {file}")
        try:
            settings = cls.settings_type(**read_json_object(file))
        except TypeError:
            raise UserError(f"the run in {folder} was begun by another command; go on with it by that one") from None
        return cls(folder, settings)


def check_new(folder: Path) -> None:
    """Raises UserError if the folder holds anything that a new run could overwrite."""
    if folder.is_dir() and any(folder.iterdir()):
        if settings_file(folder).exists() and not (folder / WEIGHTS_FILE).exists():
            raise UserError(
                f"{folder} holds an unfinished run; go on with it (--resume {folder}) or choose another --out"
            )
        kind = "another model" if (folder / WEIGHTS_FILE).exists() else "other files"
        raise UserError(f"{folder} holds {kind}, which would be overwritten; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")


def training_folder(folder: Path) -> Path:
    return settings_file(folder).parent


def settings_file(folder: Path) -> Path:
    return folder / RUN_SETTINGS_FILE
