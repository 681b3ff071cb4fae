"""What a training run needs of a model: that a folder can hold it, and that it can be taken up again from there."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

from minitransformer.files import replace_all
from minitransformer.interop.loading import load_all, values_of
from minitransformer.interop.safetensors_files import Tensors, save_tensors
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.nn.module import Module


class Part(NamedTuple):
    """A part of a model whose tensors have a file of their own."""

    file: str  # its path in the model's folder
    module: Module
    layout: TensorLayout


class TrainableModel(Module):
    """A model that a folder can hold."""

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write a folder that others can load, with the tensors in float32.

        All files are replaced once all are written. Raises UserError if that fails, and leaves them as they were.
        """
        tensors = {part.file: partial(save_tensors, values_of(part.module, part.layout)) for part in self.parts()}
        replace_all(Path(folder), {**tensors, **self.texts()})

    def restore(self, folder: Path) -> None:
        """Take every parameter's value from a folder that save_pretrained wrote. Raises UserError if it doesn't fit."""
        for part in self.parts():
            load_all(part.module, part.layout, Tensors([folder / part.file]))

    def parts(self) -> list[Part]:
        """The model's tensors, a part for each file; the file that is there when the folder is whole comes first."""
        raise NotImplementedError

    def texts(self) -> dict[str, str]:
        """The text of each other file, by its path in the folder."""
        raise NotImplementedError
