"""config.json: the settings of a Hugging Face folder."""

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import read_json_object

CONFIG_FILE = "config.json"

# Hugging Face's names of activation functions, and ours (nn/activation.py).
ACTIVATION_NAMES = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}


def read_config_file(folder: Path) -> dict[str, Any]:
    """The settings in the folder's config.json. Raises UserError if it is missing or broken."""
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise UserError(f"{folder} has no {CONFIG_FILE}; a model folder holds {CONFIG_FILE} and model.safetensors")
    return read_json_object(file)
