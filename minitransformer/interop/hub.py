"""From what the user calls a model to its folder."""

import os
import re
from pathlib import Path

from minitransformer.errors import UserError
from minitransformer.files import check_whole
from minitransformer.interop.config_file import CONFIG_FILE
from minitransformer.interop.lora_settings import is_adapter

ModelName = str | os.PathLike[str]  # a folder, or a name on the Hugging Face hub

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")  # "bert-base-uncased" or "owner/model"
_WANTED = ["*.json", "*.txt", "*.safetensors"]
_UNWANTED = ["onnx/*", "openvino/*"]
_TRAINING_FOLDER = "training"  # all that is in the folder of a run until it has a model


def model_folder(name: ModelName) -> Path:
    """The folder `name`; or, if there is none, the folder into which the Hugging Face hub's model `name` is downloaded.

    A folder never touches the network. A model that was downloaded before is found without one. Raises UserError.
    """
    path = Path(name).expanduser()
    if path.is_dir() and os.fspath(name):
        is_model = (path / CONFIG_FILE).is_file() or is_adapter(path)
        if (path / _TRAINING_FOLDER).is_dir() and not is_model:
            raise UserError(f"{path} holds an unfinished training run, not a model; finish it with --resume")
        check_whole(path)
        return path
    if path.is_file():
        raise UserError(f"{path} is a file; give its folder, which holds config.json and model.safetensors")
    if not _HUB_NAME.fullmatch(os.fspath(name)):
        raise UserError(f"the folder {os.fspath(name)!r} does not exist")
    return _download(os.fspath(name))


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download  # heavy, and needed by nothing else
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_WANTED, ignore_patterns=_UNWANTED))
    except RepositoryNotFoundError:
        reason = "the Hugging Face hub has no public model of this name"
    except (HfHubHTTPError, OSError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = f"the Hugging Face hub could not be reached ({lines[0].removeprefix('Got: ')})"
    raise UserError(f"{name} is not a folder here, and {reason}")
