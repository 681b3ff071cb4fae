"""Models that come from a folder and go to one: Hugging Face's folders, read and written."""

import dataclasses
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.adapted_tensors import ADAPTER_WEIGHTS_FILE
from minitransformer.interop.config_file import CONFIG_FILE
from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.hub import ModelName
from minitransformer.interop.layouts.lora import adapter_layout
from minitransformer.interop.loading import Arrays, Checkpoint, Heads, Loading, is_untied, load_all, values_of
from minitransformer.interop.lora_settings import ADAPTER_CONFIG_FILE, LoraSettings, lora_settings_text
from minitransformer.interop.model_files import ModelFiles
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, check_weights
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.models.trainable import TensorFile, TrainableModel, TrainedPart

Config = TypeVar("Config")


class PretrainedModel(TrainableModel, Generic[Config]):
    """A model with a config, whose parameters have names and shapes in Hugging Face's folders.

    A subclass is built from (config, seed, dtype); with the seed None its parameters have no values yet.

    config_type     the dataclass of its config
    layout          what its folders look like, from interop/layouts/
    architecture    the class that transformers loads its folder with
    """

    config_type: ClassVar[type]
    layout: ClassVar[FolderLayout]
    architecture: ClassVar[str]
    config: Config
    lora: LoraSettings | None = None  # of a model that models/lora.py has changed; its folder is an adapter's

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Where a folder stands for the config, say what loads it."""
        if arguments and isinstance(arguments[0], str | os.PathLike):
            load = f"{cls.__name__}.from_pretrained({os.fspath(arguments[0])!r})"
            raise UserError(f"{cls.__name__}(...) builds a new model from a config; to load one, write {load}")
        return super().__new__(cls)

    def __init__(self, config: Config, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        config: Any = self.config
        sizes = f"{config.num_hidden_layers} layers, hidden size {config.hidden_size}"
        return f"{type(self).__name__}({sizes}, {self.num_parameters:,} parameters)"

    @property
    def tensor_layout(self) -> TensorLayout:
        """What its tensors are called: as in its family, or with LoRA, as in adapters of the family."""
        return adapter_layout(self.layout.tensors) if self.lora else self.layout.tensors

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's value, by Hugging Face's names and in its shapes (weights are [out, in]).

        A tied decoder isn't listed: it is the token embedding.
        """
        return {name: value.copy() for name, value in values_of(self, self.tensor_layout).items()}

    def grad_dict(self) -> dict[str, np.ndarray]:
        """A copy of every trained parameter's gradient, by the names and in the shapes of state_dict."""
        gradients = ((name, parameter.grad) for name, parameter in self.named_parameters() if parameter.trained)
        return {name: gradient.copy() for name, gradient in self.tensor_layout.arrange(gradients).items()}

    def load_state_dict(self, tensors: Mapping[str, ArrayLike]) -> None:
        """Take every parameter's value from a dictionary like state_dict's; the prefix "bert." may be there or not.

        Raises UserError, and changes nothing, if a tensor is missing, unknown, of another shape, or holds nan.
        """
        arrays = Arrays({name: np.asarray(tensor) for name, tensor in tensors.items()})
        for name, array in arrays.items():
            check_weights(array, f"{arrays.file}: the tensor {name}")
        load_all(self, self.tensor_layout, arrays)

    @classmethod
    def from_pretrained(
        cls, name: ModelName, dtype: DTypeLike = np.float32, seed: int = 0, needed: Heads | None = None
    ) -> Self:
        """The model in a folder, or of that name on the Hugging Face hub, computing in float32 or float64.

        Of an adapter's folder it is the adapted model, with what the adapter adds in its weights.

        A head that the checkpoint doesn't have gets first values drawn from `seed`, and a warning says so; tensors of
        heads that this model doesn't have are ignored. `needed` are the heads that the checkpoint must have, such as
        ("mlm_head", "bert.pooler"); the others then don't matter and cause no warning.

        Raises UserError if the folder can't be read, is of another kind of model, or doesn't fit its own config.json,
        and MissingHead if a needed head is missing.
        """
        files = ModelFiles.of(name)
        tensors = files.tensors(cls.layout.tensors)
        model = cls(cls._read_config(files.base, tensors), seed=None)
        model._load([tensors], dtype, seed, needed)
        return model

    def tensor_files(self) -> list[TensorFile]:
        if self.lora:
            return [TensorFile(ADAPTER_WEIGHTS_FILE, TrainedPart(self), self.tensor_layout)]
        return [TensorFile(WEIGHTS_FILE, self, self.tensor_layout)]

    def texts(self) -> dict[str, str]:
        if self.lora:
            [file] = PretrainedModel.tensor_files(self)
            text = lora_settings_text(self.lora, self.architecture, self.layout.tensors, values_of(*file[1:]))
            return {ADAPTER_CONFIG_FILE: text}
        return {CONFIG_FILE: self.layout.config_text(self._settings(), self.architecture)}

    def _settings(self) -> dict[str, Any]:
        """What config.json holds, in our names."""
        return {**vars(self.config)}

    @classmethod
    def _read_config(cls, folder: Path, tensors: Checkpoint) -> Any:
        return cls.layout.read_config(folder, cls.config_type, tensors)

    def _load(
        self, tensors: list[Checkpoint], dtype: DTypeLike, seed: int, needed: Heads | None, new: Heads = ()
    ) -> None:
        """Give a model without values its place in memory and its values, from the tensors of each of its files.

        `needed` and `new` are as in Loading, which checks all files before memory is asked for.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise UserError(f"dtype is {np.dtype(dtype)}; models compute in float32 or float64")
        files = zip(self.tensor_files(), tensors, strict=True)
        loadings = [Loading(file.module, file.layout, found, needed, new) for file, found in files]
        self.allocate(dtype)
        for loading in loadings:
            loading.fill(seed)
            loading.warn()


def untied_if_the_file_is(config: Any, layout: TensorLayout, tensors: Checkpoint) -> Any:
    """The config, but as transformers does, believe the tensors if their decoder isn't the token embedding."""
    if config.tie_word_embeddings and is_untied(layout, tensors):
        warnings.warn(f"{tensors.file} has a decoder of its own: the model is loaded untied", stacklevel=4)
        return dataclasses.replace(config, tie_word_embeddings=False)
    return config
