"""What the folders of a family of models look like: a model's config and its tensors, in their names and in ours."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError, errors_in
from minitransformer.files import json_text
from minitransformer.interop.config_file import HARMLESS, read_config_file
from minitransformer.interop.tensor_layout import TensorLayout

_ONLY = {
    "is_encoder_decoder": (False, "an encoder with a decoder is another model"),
    "pruned_heads": ({}, "layers of which heads were cut out aren't supported"),
    "quantization_config": (None, "quantised weights can't be read here"),
}


@dataclass(frozen=True)
class FolderLayout:
    """One family's; interop/layouts/ has a file for each.

    model_type      the family's name in config.json
    tensors         the table of its tensors
    config_names    our name of a setting in config.json: theirs, where they differ; ours is read as well
    only            settings that change what the network computes: the one value that is built here, and why
    equal           settings that must be what another one is: {theirs: that one}
    defaults        what their settings are where config.json doesn't say, if it isn't what ours would be
    written         what a config.json of ours says besides, in their names
    lora_targets    the linear layers of its layers, which LoRA changes in training commands (LoraSettings.targets)
    harmless        settings of this family alone that change nothing
    """

    model_type: str
    tensors: TensorLayout
    config_names: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[Any, str]] = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    lora_targets: tuple[str, ...] = ()
    harmless: frozenset[str] = frozenset()

    def read_config(self, folder: Path, config_type: type, tensors: Iterable[str]) -> Any:
        """The config_type (a dataclass) in the folder's config.json; what it doesn't say has its default.

        `tensors` are the names in the folder's checkpoint: a config may ask for a billion layers, and is refused before
        they are built. Raises UserError also if the file is missing or broken, or asks for what isn't supported, and
        warns of settings that aren't known.
        """
        settings = read_config_file(folder).with_defaults(self.defaults)
        settings.only("model_type", self.model_type, "it is a model of another kind")
        for name, (value, why) in {**_ONLY, **self.only}.items():
            settings.only(name, value, why)
        for name, other in self.equal.items():
            settings.only(name, settings[other], f"it must be what {other} is")
        names = [config_field.name for config_field in dataclasses.fields(config_type)]
        theirs = {name: self.config_names.get(name, name) for name in names}
        found = {name: theirs[name] if theirs[name] in settings else name for name in names}
        given = {name: settings[found[name]] for name in names if found[name] in settings}
        with errors_in(settings.file):
            config = config_type(**given)
            for name in self.tensors.layers:
                there, asked = self.tensors.number_of_layers(name, tensors), getattr(config, name)
                if asked > there:
                    raise UserError(f"{theirs[name]} is {asked}, but the checkpoint has {there} layers")
        settings.warn_of_the_rest(HARMLESS | self.harmless)
        return config

    def config_text(self, config: dict[str, Any], architecture: str) -> str:
        """The text of a config.json with these settings; `architecture` is the class that transformers makes of it."""
        about = {"architectures": [architecture], "model_type": self.model_type, "dtype": "float32", **self.written}
        settings = {self.config_names.get(name, name): value for name, value in config.items()}
        return json_text({**about, **settings, **{name: settings[other] for name, other in self.equal.items()}})
