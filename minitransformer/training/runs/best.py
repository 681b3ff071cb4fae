"""A run that keeps the best of what it saw. Its folder is that of training/runs/run.py, and while it trains

training/
  best/             the model with the best evaluation so far, a folder like the finished one
  best.json         that evaluation
"""

import shutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minitransformer.files import json_text, read_json_object, replace_all
from minitransformer.training.runs.run import Run


class BestModelRun(Run):
    """The model in the finished folder is the one whose evaluation was worth most."""

    def __init__(self, folder: Path, settings: Any) -> None:
        super().__init__(folder, settings)
        self.best_folder, self.best_file = self.training_folder / "best", self.training_folder / "best.json"

    @abstractmethod
    def worth(self, metrics: Mapping[str, float]) -> float:
        """How good an evaluation is."""

    def train(self, workers: int | None = None) -> dict[str, float]:
        self.loop().run(workers)
        self.model.restore(self.best_folder)
        self.finish()
        shutil.rmtree(self.best_folder, ignore_errors=True)
        return read_json_object(self.best_file)

    def keep(self, evaluation: Any) -> None:
        """Save the model if it is better than the best one before."""
        metrics = evaluation._asdict()
        if self.best_file.exists() and self.worth(metrics) <= self.worth(read_json_object(self.best_file)):
            return
        self.tokenizer.save_pretrained(self.best_folder)
        self.model.save_pretrained(self.best_folder)
        replace_all(self.training_folder, {self.best_file.name: json_text(metrics)})
