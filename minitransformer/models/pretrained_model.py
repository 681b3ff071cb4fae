"""Models that come from a folder and go to one: Hugging Face's folders, read and written."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minitransformer.errors import UserError
from minitransformer.files import replace_all, write_text
from minitransformer.interop.config_file import CONFIG_FILE, config_text, read_config_file
from minitransformer.interop.hub import model_folder
from minitransformer.interop.loading import fill, gradients_of, load_dictionary, match_tensors, report, values_of
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, Tensors, open_tensors, save_tensors
from minitransformer.interop.tensor_names import number_of_layers
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.trainable import TrainableModel
from minitransformer.nn.module import Module

ModelType = TypeVar("ModelType", bound="PretrainedModel")


class PretrainedModel(TrainableModel):
    """A model with a BertConfig, whose parameters have names and shapes in Hugging Face's checkpoints.

    A subclass is built from (config, seed, dtype); with the seed None its parameters have no values yet.
    `architecture` is the class that transformers loads its folder with.
    """

    config: BertConfig
    architecture: ClassVar[str]

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        raise NotImplementedError

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's value, by Hugging Face's names and in its shapes (weights are [out, in]).

        A tied decoder isn't listed: it is the token embedding.
        """
        return {name: value.copy() for name, value in values_of(self).items()}

    def grad_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's gradient, by the names and in the shapes of state_dict."""
        return {name: gradient.copy() for name, gradient in gradients_of(self).items()}

    def load_state_dict(self, tensors: Mapping[str, ArrayLike]) -> None:
        """Take every parameter's value from a dictionary like state_dict's; the prefix "bert." may be there or not.

        Raises UserError, and changes nothing, if a tensor is missing, unknown or of another shape.
        """
        load_dictionary(self, {name: np.asarray(tensor) for name, tensor in tensors.items()})

    @classmethod
    def from_pretrained(
        cls: type[ModelType], name: str | os.PathLike[str], dtype: DTypeLike = np.float32, seed: int = 0
    ) -> ModelType:
        """The model in a folder, or of that name on the Hugging Face hub, computing in float32 or float64.

        A head that the checkpoint doesn't have gets first values drawn from `seed`; tensors of heads that this model
        doesn't have are ignored. A warning says which. Raises UserError if the folder can't be read, is of another
        kind of model, or doesn't fit its own config.json.
        """
        folder = model_folder(name)
        config, tensors = read_config(folder), open_tensors(folder)
        check_layers(config, tensors)
        model = cls(cls._config_that_fits(config, tensors), seed=None)
        load_values(model, tensors, dtype, seed)
        return model

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config.json and model.safetensors (in float32) into a folder that transformers loads.

        Both files are replaced once both are written. Raises UserError if that fails, and leaves them as they were.
        """
        text = config_text(self._settings(), self.architecture)
        replace_all(
            Path(folder),
            {WEIGHTS_FILE: partial(save_tensors, values_of(self)), CONFIG_FILE: partial(write_text, text)},
        )

    def restore(self, folder: Path) -> None:
        load_dictionary(self, open_tensors(folder))

    @classmethod
    def _config_that_fits(cls, config: BertConfig, tensors: Tensors) -> BertConfig:
        """The config, after a look at the tensors; for a model that finds there what config.json doesn't say."""
        return config

    def _settings(self) -> dict[str, Any]:
        """What config.json holds, beside the names of the architecture."""
        return dataclasses.asdict(self.config)


def read_config(folder: Path) -> BertConfig:
    """The BertConfig in the folder's config.json; settings that BertConfig doesn't have are left out."""
    settings = read_config_file(folder)
    known = {field.name for field in dataclasses.fields(BertConfig)}
    try:
        return BertConfig(**{name: value for name, value in settings.items() if name in known})
    except UserError as error:
        raise UserError(f"{folder / CONFIG_FILE}: {error}") from None


def check_layers(config: BertConfig, tensors: Tensors) -> None:
    """Refuse a config with more layers than the file has, before they are built: it may ask for a billion."""
    found = number_of_layers(tensors)
    if config.num_hidden_layers > found:
        raise UserError(
            f"{CONFIG_FILE} says num_hidden_layers {config.num_hidden_layers}, {tensors.files[0]} has {found} layers"
        )


def load_values(
    model: Module,
    tensors: Tensors,
    dtype: DTypeLike,
    seed: int,
    new: tuple[str, ...] = (),
    needed: tuple[str, ...] = (),
) -> None:
    """Give a model without values its place in memory and its values; heads that aren't there get new ones.

    `new` and `needed` are as in match_tensors.
    """
    match = match_tensors(model, tensors, new, needed)
    model.allocate(checked_dtype(dtype))
    fill(model, match, tensors, seed)
    report(match, tensors)


def checked_dtype(dtype: DTypeLike) -> DTypeLike:
    """The dtype, if models compute in it."""
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise UserError(f"dtype is {np.dtype(dtype)}; models compute in float32 or float64")
    return dtype
