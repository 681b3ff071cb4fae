"""A run that keeps the best of what it saw. Its folder is that of training/runs/run.py, and while it trains

training/
  best/             the model with the best evaluation so far, a folder like the finished one, with evaluation.json

and then

  best.json         that evaluation
"""

import shutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minitransformer.files import json_text, read_json_object, recover_folder, replace_all, replace_folder
from minitransformer.training.machines import Machines
from minitransformer.training.runs.run import BEST_FOLDER, Run

EVALUATION_FILE = "evaluation.json"


class BestModelRun(Run):
    """The model in the finished folder is the one whose evaluation was worth most."""

    def __init__(self, folder: Path, settings: Any, machines: Machines | None = None) -> None:
        super().__init__(folder, settings, machines)
        self.best_folder, self.best_file = self.training_folder / BEST_FOLDER, self.training_folder / "best.json"

    @abstractmethod
    def worth(self, metrics: Mapping[str, float]) -> float:
        """How good an evaluation is."""

    def train_and_finish(self, workers: int | None) -> dict[str, float]:
        self.machines.first(recover_folder, self.best_folder)
        self.loop().run(workers)
        return self.machines.first(self._finish_with_the_best)

    def make_another(self) -> Any:
        """When training is over: the evaluation of one more model, which `model` then is; None if there is none."""
        return None

    def _finish_with_the_best(self) -> dict[str, float]:
        if (evaluation := self.make_another()) is not None:
            self.keep(evaluation)
        best = read_json_object(self.best_folder / EVALUATION_FILE)
        self.model.restore(self.best_folder)
        replace_all(self.training_folder, {self.best_file.name: json_text(best)})
        self.finish()
        shutil.rmtree(self.best_folder, ignore_errors=True)
        return best

    def keep(self, evaluation: Any) -> None:
        """Save the model if it is better than the best one before."""
        metrics, best = evaluation._asdict(), self.best_folder / EVALUATION_FILE
        if best.exists() and self.worth(metrics) <= self.worth(read_json_object(best)):
            return
        new = self.best_folder.with_name(f".{BEST_FOLDER}.partial")
        shutil.rmtree(new, ignore_errors=True)
        self.tokenizer.save_pretrained(new)
        self.model.save_pretrained(new)
        replace_all(new, {EVALUATION_FILE: json_text(metrics)})
        replace_folder(new, self.best_folder)
