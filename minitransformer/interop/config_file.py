"""config.json: the settings of a Hugging Face BERT folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import json_text, read_json_object

CONFIG_FILE = "config.json"

# Settings that change what the network computes, and the one value that is computed here.
_ONLY_VALUES = {
    "model_type": ("bert", "only BERT's layers are built here"),
    "position_embedding_type": ("absolute", "relative positions are not built here"),
    "is_decoder": (False, "a decoder hides later tokens, an encoder doesn't"),
    "add_cross_attention": (False, "cross-attention belongs to a decoder"),
}


def read_config_file(folder: Path) -> dict[str, Any]:
    """The settings in the folder's config.json.

    Raises UserError if it is missing or broken, or describes another network than BERT's encoder.
    """
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise UserError(f"{folder} has no {CONFIG_FILE}; a model folder holds {CONFIG_FILE} and model.safetensors")
    settings = read_json_object(file)
    for name, (value, why) in _ONLY_VALUES.items():
        found = settings.get(name)
        if found is not None and found != value:
            raise UserError(f"{file}: {name} is {found!r}, expected {value!r}: {why}")
    return settings


def config_text(settings: dict[str, Any], architecture: str) -> str:
    """The text of a config.json with these settings; `architecture` is the class that transformers loads it with."""
    fixed = {"architectures": [architecture], "model_type": "bert", "dtype": "float32"}
    return json_text({**fixed, **settings})
