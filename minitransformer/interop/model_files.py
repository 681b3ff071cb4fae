"""Where the files of a model are: in its folder, or in an adapter's folder and in that of the model it changes.

    adapter_config.json           what the adapter changes, and in which model (interop/lora_settings.py)
    adapter_model.safetensors     what it adds to weights, and heads that were trained whole
    ...                           anything that a model's folder has, except config.json and the model's weights

So an adapter's folder, peft's or ours, can be given wherever a model's can.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from minitransformer.errors import UserError
from minitransformer.interop.adapted_tensors import AdaptedTensors
from minitransformer.interop.hub import ModelName, model_folder
from minitransformer.interop.loading import Checkpoint
from minitransformer.interop.lora_settings import ADAPTER_CONFIG_FILE, is_adapter, read_lora_settings
from minitransformer.interop.safetensors_files import open_tensors
from minitransformer.interop.sentence_transformers_folder import transformer_folder
from minitransformer.interop.tensor_layout import TensorLayout

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json")  # one of them is there


@dataclass(frozen=True)
class ModelFiles(os.PathLike[str]):
    """What a model's name stands for.

    folder    what was named: a model's folder, or an adapter's
    base      the folder with config.json and the weights: another one for an adapter, and 0_Transformer in old folders
    """

    folder: Path
    base: Path

    @classmethod
    def of(cls, name: ModelName) -> Self:
        """The files of a model or an adapter, by its folder or hub name. Raises UserError if they can't be found."""
        if isinstance(name, cls):
            return name
        folder = model_folder(name)
        return cls(folder, _base_of(folder) if is_adapter(folder) else transformer_folder(folder))

    @property
    def are_adapted(self) -> bool:
        return is_adapter(self.folder)

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

    def folder_with(self, *files: str) -> Path:
        """The folder that has one of these files; of two that do, what was named."""
        return self.folder if any((self.folder / file).exists() for file in files) else self.base

    def tensors(self, layout: TensorLayout) -> Checkpoint:
        """The tensors of the model, with the adapter's changes."""
        tensors = open_tensors(self.base)
        return AdaptedTensors(tensors, self.folder, layout) if self.are_adapted else tensors


def _base_of(adapter: Path) -> Path:
    """The folder of the model that an adapter names: a path seen from where the command runs, or from the adapter."""
    file, name = adapter / ADAPTER_CONFIG_FILE, read_lora_settings(adapter).base
    if not name:
        raise UserError(f"{file}: base_model_name_or_path doesn't say which model the adapter changes")
    is_beside = (adapter / name).is_dir() and not Path(name).is_dir()
    try:
        base = model_folder(adapter / name if is_beside else name)
    except UserError as error:
        what = f"{adapter} is an adapter of {name}, which can't be found: {error}"
        raise UserError(f"{what}. Put right base_model_name_or_path in {file}") from None
    if is_adapter(base):
        raise UserError(f"{adapter} is an adapter of {base}, which is an adapter itself; merge that one first")
    return base
