"""Checkpoints: all that a run needs to continue as if it had never stopped.

    step-000400/
      config.json, model.safetensors   the model, a folder like any other
      vocab.txt, tokenizer.json, ...   and its tokenizer
      moments.safetensors              AdamW's m and v, each a vector (P,) laid out as the model's storage
      run.json                         the steps done, and what the run is: its settings, its corpus

Data order, masks and dropout are functions of the seed and the step's number, so no generator's state is needed.

A checkpoint is written under another name and gets its own once it is whole and on the disk; then the one before is
removed, unless the run wants it to the end. Whatever happens in between, the last good one stays.
"""

import os
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from minitransformer.errors import UserError
from minitransformer.files import json_text, read_json_object
from minitransformer.interop.safetensors_files import Tensors, save_tensors
from minitransformer.models.trainable import TrainableModel
from minitransformer.training.optimizer.adamw import AdamW

MOMENTS_FILE = "moments.safetensors"
RUN_FILE = "run.json"
_NAME = re.compile(r"step-(\d{6,})")


class Checkpoints:
    """The checkpoints of one run, in a folder of their own, which holds nothing else.

    `identity` says what the run is, as JSON: a checkpoint of another run is refused. `save_tokenizer` writes the
    tokenizer's files into the folder that it is given. The checkpoints of the steps `kept` stay when others come.
    """

    def __init__(
        self,
        folder: Path,
        identity: dict[str, Any],
        save_tokenizer: Callable[[Path], None],
        kept: Collection[int] = (),
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.save_tokenizer = save_tokenizer
        self.kept = kept

    def by_step(self) -> dict[int, Path]:
        """The whole checkpoints, by their steps."""
        matches = ((_NAME.fullmatch(path.name), path) for path in self.folder.glob("step-*"))
        return {int(match[1]): path for match, path in matches if match}

    def latest(self) -> Path | None:
        """The whole checkpoint with the most steps, if there is one."""
        steps = self.by_step()
        return steps[max(steps)] if steps else None

    def save(self, step: int, model: TrainableModel, optimizer: AdamW) -> Path:
        """Write the checkpoint of a run that has done `step` steps, and remove the one before.

        Raises UserError if the disk is full; the checkpoint before is then as it was.
        """
        checkpoint = self.folder / f"step-{step:06d}"
        partial = checkpoint.with_suffix(".partial")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            model.save_pretrained(partial)
            self.save_tokenizer(partial)
            save_tensors(_moments(optimizer), partial / MOMENTS_FILE)
            (partial / RUN_FILE).write_text(json_text({"step": step, "run": self.identity}), encoding="utf-8")
            flush_to_disk(partial)
            shutil.rmtree(checkpoint, ignore_errors=True)
            partial.rename(checkpoint)
        except (OSError, UserError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            last = self.latest()
            kept = f"the last one, {last}, is as it was" if last else "there is none before it"
            raise UserError(
                f"the checkpoint of step {step} can't be saved ({error}); {kept}. Make room, then resume the run"
            ) from None
        needed = {checkpoint, *(path for step, path in self.by_step().items() if step in self.kept)}
        for other in {*self.folder.iterdir()} - needed:
            shutil.rmtree(other, ignore_errors=True)
        return checkpoint

    def restore(self, model: TrainableModel, optimizer: AdamW) -> int:
        """Put the last checkpoint's values into the model and the optimizer. Returns the steps done, 0 without one.

        Raises UserError if the checkpoint is damaged or of another run.
        """
        checkpoint = self.latest()
        if checkpoint is None:
            return 0
        state = read_json_object(checkpoint / RUN_FILE)
        if state.get("run") != self.identity:
            raise UserError(f"{checkpoint} belongs to a run with {_difference(state.get('run'), self.identity)}")
        model.restore(checkpoint)
        moments, vectors = Tensors([checkpoint / MOMENTS_FILE]), _moments(optimizer)
        if moments.shapes.keys() != vectors.keys():
            raise UserError(
                f"{checkpoint} is of another version of minitransformer; start the run again in another folder"
            )
        for name, vector in vectors.items():
            if moments.shapes[name] != vector.shape:
                raise UserError(f"{checkpoint / MOMENTS_FILE} doesn't belong to the model next to it")
            vector[:] = moments[name]
        optimizer.num_steps = int(state["step"])
        return optimizer.num_steps


def take_the_mean(model: TrainableModel, checkpoints: Sequence[Path]) -> None:
    """Give a model the mean of its values in several checkpoints, added up in float64."""
    total = np.zeros(model.storage.values.shape)
    for checkpoint in checkpoints:
        model.restore(checkpoint)
        total += model.storage.values
    model.storage.values[...] = total / len(checkpoints)


def _moments(optimizer: AdamW) -> dict[str, np.ndarray]:
    return {"m": optimizer.m, "v": optimizer.v}


def remove_checkpoints(checkpoints: Path, finished: Path) -> None:
    """Remove the checkpoints of a run, once its finished folder is on the disk: until then it needs them."""
    flush_to_disk(finished)
    shutil.rmtree(checkpoints, ignore_errors=True)


def flush_to_disk(folder: Path) -> None:
    """Wait until the files of a folder are on the disk: a power cut must not leave a name without its content."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            with path.open("r+b") as file:  # Windows syncs no file that is open for reading only
                os.fsync(file.fileno())
            continue
        with suppress(OSError), ExitStack() as opened:  # Windows opens no folder, and some drives can't sync one
            descriptor = os.open(path, os.O_RDONLY)
            opened.callback(os.close, descriptor)
            os.fsync(descriptor)


def _difference(theirs: Any, ours: dict[str, Any]) -> str:
    """The first entry in which two descriptions of runs differ, as words."""
    theirs = theirs if isinstance(theirs, dict) else {}
    name = next(name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name))
    return f"{name} {theirs.get(name)!r}, but this run has {ours.get(name)!r}"
