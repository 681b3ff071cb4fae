"""What the folders of a family of models look like: a model's config and its tensors, in their names and in ours."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError, errors_in
from minitransformer.files import json_text
from minitransformer.interop.config_file import CONFIG_FILE, read_config_file
from minitransformer.interop.tensor_layout import TensorLayout


@dataclass(frozen=True)
class FolderLayout:
    """One family's; interop/layouts/ has a file for each.

    model_type      the family's name in config.json
    tensors         the table of its tensors
    config_names    our name of a setting in config.json: theirs, where they differ; ours is read as well
    only            settings that change what the network computes: the one value that is built here, and why
    lora_targets    the modules that LoRA changes unless others are named (LoraSettings)
    """

    model_type: str
    tensors: TensorLayout
    config_names: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[Any, str]] = field(default_factory=dict)
    lora_targets: tuple[str, ...] = ()

    def read_config(self, folder: Path, config_type: type, tensors: Iterable[str]) -> Any:
        """The config_type (a dataclass) in the folder's config.json; settings that it doesn't have are left out.

        `tensors` are the names in the folder's checkpoint: a config may ask for a billion layers, and is refused before
        they are built. Raises UserError also if the file is missing or broken, or asks for what isn't built here.
        """
        settings = read_config_file(folder)
        only = {"model_type": (self.model_type, "it is a model of another kind"), **self.only}
        names = [config_field.name for config_field in dataclasses.fields(config_type)]
        ours = {theirs: name for name, theirs in self.config_names.items()}
        given = {ours.get(name, name): value for name, value in settings.items()}
        with errors_in(folder / CONFIG_FILE):
            for name, (value, why) in only.items():
                if settings.get(name) not in (value, None):
                    raise UserError(f"{name} is {settings[name]!r}, expected {value!r}: {why}")
            config = config_type(**{name: given[name] for name in names if name in given})
            for name in self.tensors.layers:
                found, asked = self.tensors.number_of_layers(name, tensors), getattr(config, name)
                if asked > found:
                    theirs = self.config_names.get(name, name)
                    raise UserError(f"{theirs} is {asked}, but the checkpoint has {found} layers")
            return config

    def config_text(self, config: dict[str, Any], architecture: str) -> str:
        """The text of a config.json with these settings; `architecture` is the class that transformers makes of it."""
        about = {"architectures": [architecture], "model_type": self.model_type, "dtype": "float32"}
        return json_text({**about, **{self.config_names.get(name, name): value for name, value in config.items()}})
