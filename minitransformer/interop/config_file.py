"""config.json: the settings of a Hugging Face folder, in their names and in ours."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from minitransformer.errors import UserError, errors_in
from minitransformer.files import json_text, read_json_object

CONFIG_FILE = "config.json"

# Hugging Face's names of activation functions, and ours (nn/activation.py).
ACTIVATION_NAMES = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}

Config = TypeVar("Config")


@dataclass(frozen=True)
class ConfigFormat:
    """What config.json says of a family of models.

    model_type   the family's name
    names        our name of a setting: theirs, where they differ
    only         settings that change what the network computes: the one value that is built here, and why
    """

    model_type: str
    names: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def read(self, folder: Path, config_type: type[Config]) -> Config:
        """The config_type (a dataclass) in the folder's config.json; settings that it doesn't have are left out.

        Raises UserError if the file is missing or broken, or describes a network that isn't built here.
        """
        settings = read_config_file(folder)
        only = {"model_type": (self.model_type, "it is a model of another kind"), **self.only}
        ours = [config_field.name for config_field in dataclasses.fields(config_type)]  # type: ignore[arg-type]
        theirs = {name: self.names.get(name, name) for name in ours}
        with errors_in(folder / CONFIG_FILE):
            for name, (value, why) in only.items():
                if settings.get(name, value) not in (value, None):
                    raise UserError(f"{name} is {settings[name]!r}, expected {value!r}: {why}")
            return config_type(**{name: settings[theirs[name]] for name in ours if theirs[name] in settings})

    def text(self, config: dict[str, Any], architecture: str) -> str:
        """The text of a config.json with these settings; `architecture` is the class that transformers makes of it."""
        about = {"architectures": [architecture], "model_type": self.model_type, "dtype": "float32"}
        return json_text({**about, **{self.names.get(name, name): value for name, value in config.items()}})


def read_config_file(folder: Path) -> dict[str, Any]:
    """The settings in the folder's config.json. Raises UserError if it is missing or broken."""
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise UserError(f"{folder} has no {CONFIG_FILE}; a model folder holds {CONFIG_FILE} and model.safetensors")
    return read_json_object(file)
