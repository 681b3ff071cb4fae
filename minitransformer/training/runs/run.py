"""A training run and its folder, resumable at any moment.

folder/
  ...                  the trained model and its tokenizer, once the run is finished
  metrics.jsonl        a line for each step and each evaluation
  training/
    settings.json      what the run was told
    checkpoints/       the last checkpoint (training/checkpoint.py), until the run is finished
    lock               while a process works on the run

A training command is its options, and one run from start to end:

    run = PretrainingRun.start(folder, settings)      or PretrainingRun.resume(folder)
    print(run.describe())
    print(run.report(run.train()))
"""

import dataclasses
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from minitransformer.errors import UserError
from minitransformer.files import is_special, json_text, locked, read_json_object, replace_all
from minitransformer.interop.adapted_tensors import ADAPTER_WEIGHTS_FILE
from minitransformer.interop.safetensors_files import WEIGHTS_FILE
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.training.checkpoint import Checkpoints, remove_checkpoints
from minitransformer.training.loop import TrainingLoop
from minitransformer.training.machines import Machines
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.optimizer.schedule import Schedule, linear_warm_up_and_decay
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.task import Task

RUN_SETTINGS_FILE = Path("training", "settings.json")
LOCK_FILE = "lock"
CHECKPOINTS_FOLDER, BEST_FOLDER = LEFT_BEHIND = "checkpoints", "best"  # until the run is finished

RunType = TypeVar("RunType", bound="Run")


class Run(ABC):
    """What is trained, on what, how it is evaluated, and where all of it is written.

    Made by start(), resume() or open() of a subclass, whose prepare() reads what the settings name.
    """

    settings_type: ClassVar[type[TrainingSettings]]
    model: Any  # the trained model of a finished run; otherwise one with its initial values, for train() to change
    tokenizer: BertTokenizer | LosslessTokenizer
    task: Task
    steps: int
    save_every: int  # steps from one evaluation and checkpoint to the next
    schedule: Schedule = staticmethod(linear_warm_up_and_decay)  # of the learning rate

    def __init__(self, folder: Path, settings: Any, machines: Machines | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self.machines = machines or Machines()
        self.metrics_file = folder / "metrics.jsonl"
        self.training_folder = settings_file(folder).parent
        self.checkpoints_folder = self.training_folder / CHECKPOINTS_FOLDER

    @classmethod
    def start(cls: type[RunType], folder: Path, settings: Any, machines: Machines | None = None) -> RunType:
        """A new run in a folder that is empty or doesn't exist yet.

        Raises UserError if the folder holds something or the data can't be used, and then leaves nothing behind.
        """
        check_new(folder)
        created, run = not folder.exists(), cls(folder, settings, machines)
        with run.locked():
            check_new(folder)  # another process may have been quicker
            try:
                replace_all(folder, {str(RUN_SETTINGS_FILE): json_text(dataclasses.asdict(settings))})
                run.prepare()
            except BaseException:
                shutil.rmtree(folder if created else run.training_folder, ignore_errors=True)
                raise
        return run

    @classmethod
    def resume(cls: type[RunType], folder: Path, machines: Machines | None = None) -> RunType:
        """The unfinished run in a folder. Raises UserError if there is none."""
        if not settings_file(folder).exists():
            raise UserError(
                f"{folder} holds no training run: there is no {settings_file(folder)}; start one with --out"
            )
        with locked(settings_file(folder).with_name(LOCK_FILE), str(folder)):
            if is_finished(folder):
                remove_left_behind(folder)
                raise UserError(f"the training run in {folder} is finished: there is nothing to resume")
            return cls.open(folder, machines)

    @classmethod
    def open(cls: type[RunType], folder: Path, machines: Machines | None = None) -> RunType:
        """The run in a folder, finished or not. Raises UserError if there is none, or one of another kind."""
        file = settings_file(folder)
        if not file.exists():
            raise UserError(f"{folder} holds no training run: there is no {file}")
        try:
            run = cls(folder, cls.settings_type(**read_json_object(file)), machines)
        except TypeError as error:
            reason = str(error).partition("() ")[2]  # after the constructor's name
            started = f"the run in {folder} was started by another command, or by another version of it"
            raise UserError(f"{started}: its settings have {reason}; resume it with that") from None
        run.prepare()
        if is_finished(folder):
            run.model.restore(folder)
        return run

    def train(self, workers: int | None = None) -> dict[str, float]:
        """Train to the end on `workers` cores (default: as the run began, or all), and write the finished folder.

        Returns the evaluation of the model in it, each metric by its name. Raises TrainingInterrupted and UserError as
        TrainingLoop.run does; the run can then be resumed. Another process that trains in the folder is an error, too.
        """
        with ExitStack() as lock:
            self.machines.first(lock.enter_context, self.locked())
            return self.train_and_finish(workers)

    def train_and_finish(self, workers: int | None) -> dict[str, float]:
        """What train() does while the folder is its own."""
        evaluation = self.loop().run(workers)
        self.machines.first(self.finish)
        return evaluation._asdict()

    def locked(self) -> AbstractContextManager[None]:
        """The run's folder for this process alone."""
        return locked(self.training_folder / LOCK_FILE, str(self.folder))

    def loop(self) -> TrainingLoop:
        """The loop that trains the model, from the last checkpoint if there is one."""
        return TrainingLoop(
            model=self.model,
            task=self.task,
            settings=self.settings,
            steps=self.steps,
            save_every=self.save_every,
            checkpoints=self.checkpoints(),
            metrics_file=self.metrics_file,
            evaluate=self.evaluate,
            keep=self.keep,
            rate_factors=self.rate_factors(),
            schedule=self.schedule,
            machines=self.machines,
        )

    def checkpoints(self) -> Checkpoints:
        """What the run continues from."""
        return Checkpoints(self.checkpoints_folder, self.identity(), self.tokenizer.save_pretrained, self.kept_steps())

    def kept_steps(self) -> list[int]:
        """The steps whose checkpoints are needed to the end."""
        return []

    def finish(self) -> None:
        """Write the model and its tokenizer into the folder, and remove the checkpoints."""
        self.tokenizer.save_pretrained(self.folder)
        self.model.save_pretrained(self.folder)
        remove_checkpoints(self.checkpoints_folder, self.folder)

    @abstractmethod
    def prepare(self) -> None:
        """Read the data and the model. Raises UserError for what can't be used, before anything is trained."""

    @abstractmethod
    def evaluate(self) -> Any:
        """A NamedTuple of metrics of the model on held-out data."""

    @abstractmethod
    def describe(self) -> str:
        """What is about to be trained on what."""

    @abstractmethod
    def report(self, metrics: Mapping[str, float]) -> str:
        """What the evaluation of the finished model says."""

    def keep(self, evaluation: Any) -> None:  # noqa: B027  (the last model is the one to keep, unless a subclass says)
        """Called after each evaluation, for a run that keeps its best model and not its last."""

    def rate_factors(self) -> list[RateFactor] | None:
        """Where the learning rates of layers differ; None if they don't."""
        return None

    def identity(self) -> dict[str, Any]:
        """What the run is, as JSON: a checkpoint of a run that differs in this isn't resumed."""
        settings = dataclasses.asdict(self.settings)
        return {name: value for name, value in settings.items() if name not in ("workers", "processes")}


def check_new(folder: Path) -> None:
    """Raises UserError if the folder holds anything that a new run could overwrite."""
    if folder.is_dir() and not _is_unused(folder):
        if settings_file(folder).exists() and not is_finished(folder):
            raise UserError(f"{folder} holds an unfinished run; resume it (--resume {folder}) or choose another --out")
        kind = "another model" if is_finished(folder) else "other files"
        raise UserError(f"{folder} holds {kind}, which would be overwritten; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")


def check_more_than_once(*tables: str) -> None:
    """Raises UserError for tables that can be read only once: a run reads them again each time it is resumed."""
    for file in tables:
        if is_special(Path(file)):
            more_than_once = "a run reads its tables more than once"
            raise UserError(f"{file} is a pipe or a device, but {more_than_once}; save it to a file first")


def _is_unused(folder: Path) -> bool:
    """Whether a folder holds nothing, or only what a run leaves that was killed before it began."""
    beginnings = {settings_file(folder).parent.name, LOCK_FILE, f".{RUN_SETTINGS_FILE.name}.partial"}
    return {path.name for path in folder.rglob("*")} <= beginnings


def is_finished(folder: Path) -> bool:
    """Whether a folder has a trained model, or an adapter."""
    return (folder / WEIGHTS_FILE).exists() or (folder / ADAPTER_WEIGHTS_FILE).exists()


def remove_left_behind(folder: Path) -> None:
    """Remove what a finished run doesn't need any more, if it was killed just before it did so itself."""
    for name in LEFT_BEHIND:
        shutil.rmtree(settings_file(folder).with_name(name), ignore_errors=True)


def settings_file(folder: Path) -> Path:
    return folder / RUN_SETTINGS_FILE
