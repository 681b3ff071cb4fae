"""What a training run needs of a model: that a folder can hold it, and that it can be taken up again from there."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from minitransformer.files import replace_all
from minitransformer.interop.loading import load_all, values_of
from minitransformer.interop.safetensors_files import Tensors, save_tensors
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter


class TensorFile(NamedTuple):
    """A file of tensors in a model's folder, and whose they are."""

    path: str  # in the folder
    module: Module
    layout: TensorLayout


class TrainedPart(Module):
    """What is trained of a module, under the same names: all that a file needs if the rest is elsewhere."""

    def __init__(self, whole: Module) -> None:
        self.whole = whole

    def _paths(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, parameter) for name, parameter in self.whole._paths() if parameter.trained)


class TrainableModel(Module):
    """A model that a folder can hold."""

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write a folder that others can load, with the tensors in float32.

        All files are replaced once all are written. Raises UserError if that fails, and leaves them as they were.
        """
        files = self.tensor_files()
        tensors = {file.path: partial(save_tensors, values_of(file.module, file.layout)) for file in files}
        replace_all(Path(folder), {**tensors, **self.texts()})

    def restore(self, folder: Path) -> None:
        """Take every parameter's value from a folder that save_pretrained wrote. Raises UserError if it doesn't fit."""
        for file in self.tensor_files():
            load_all(file.module, file.layout, Tensors([folder / file.path]))

    def tensor_files(self) -> list[TensorFile]:
        """All tensors of the model, file by file. A folder with the first file is whole."""
        raise NotImplementedError

    def texts(self) -> dict[str, str]:
        """The texts of all other files, by their paths in the folder."""
        raise NotImplementedError
