"""model.safetensors: the tensors of a folder, read one at a time, and written so that every library reads them.

The safetensors library reads and writes; it checks the header (sizes, holes, overlaps, the end of the file) before it
gives out a tensor. Added here: BF16, which NumPy doesn't have, tensors spread over several files, and errors that say
which file and what to do.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from minitransformer.errors import UserError
from minitransformer.files import is_there, path_within, read_json_object

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_FLOATS = {"BF16": np.float32, "F16": np.float32, "F32": np.float32, "F64": np.float64}  # read as
LARGEST_WEIGHT = 1e10  # a flipped bit of an exponent makes 1e17 and more of one, with which answers become nan
_BLOCK = 2**18  # elements that are copied at a time
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_TRAINING_STATE = ("training_args", "optimizer", "scheduler", "rng_state", "scaler")  # pickles without weights


class Tensors(Mapping[str, np.ndarray]):
    """The tensors of one or several safetensors files by name, read from the disk when asked for.

    `shapes` has the shape of each without reading it; `file`, the first file, stands for all in messages. Raises
    UserError for a file that isn't whole, and for a tensor that doesn't hold floating-point numbers, or holds nan,
    infinity, or a number that no trained weight comes near.
    """

    def __init__(self, files: list[Path]) -> None:
        self.file = files[0]
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._opened: dict[str, tuple[Any, Path]] = {}
        for file in files:
            opened = _open(file)
            for name in opened.keys():  # noqa: SIM118  (safe_open can't be iterated)
                if name in self._opened:
                    raise UserError(f"both {self._opened[name][1]} and {file} hold a tensor {name}")
                self._opened[name] = opened, file
                self.shapes[name] = tuple(opened.get_slice(name).get_shape())

    def __getitem__(self, name: str) -> np.ndarray:
        tensor = np.empty(self.shapes[name], _FLOATS[self._dtype(name)])
        self.copy_to(name, tensor)
        return tensor

    def copy_to(self, name: str, destination: np.ndarray) -> None:
        """Copy a tensor into an array of its shape and of any float type, in blocks of rows."""
        opened, file = self._opened[name]
        is_bfloat16 = self._dtype(name) == "BF16"
        rows = _map_bfloat16(file, name) if is_bfloat16 else opened.get_slice(name)
        step = max(1, _BLOCK * len(destination) // max(1, destination.size))
        for start in range(0, len(destination), step):
            stop = min(start + step, len(destination))
            block = rows[start:stop]
            if is_bfloat16:  # the upper half of the float32 number that it stands for
                block = (block.astype(np.uint32) << 16).view(np.float32)
            check_weights(block, f"{file}: the tensor {name}")
            destination[start:stop] = block

    def _dtype(self, name: str) -> str:
        opened, file = self._opened[name]
        dtype = opened.get_slice(name).get_dtype()
        if dtype not in _FLOATS:
            raise UserError(f"{file}: the tensor {name} holds {dtype}; expected one of {', '.join(_FLOATS)}")
        return dtype

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)


def check_weights(weights: np.ndarray, whose: str) -> None:
    """Raise UserError for nan, infinity, and numbers with which an answer would become one."""
    largest = float(np.abs(weights).max(initial=0))
    if not largest <= LARGEST_WEIGHT:  # nan is not, either
        found = f"{largest:g}" if np.isfinite(largest) else "nan or infinity"
        raise UserError(f"{whose} holds {found}; it is damaged or diverged")


def open_tensors(folder: Path) -> Tensors:
    """The tensors of the folder's model.safetensors, or of the several files that its index names."""
    if is_there(folder / WEIGHTS_FILE):
        return Tensors([folder / WEIGHTS_FILE])
    if is_there(folder / INDEX_FILE):
        return Tensors(_files_of_index(folder))
    raise UserError(f"{folder} has no {WEIGHTS_FILE}{_instead(folder)}")


def _instead(folder: Path) -> str:
    """What there is in place of the weights, and what converts it, tensor by tensor: nothing is lost or made up."""
    files = sorted(file.name for file in folder.glob("*") if not file.name.startswith(_TRAINING_STATE))
    pickles = [name for name in files if name.endswith(_PICKLES)]
    if not pickles:
        others = [name for name in files if name.endswith((".h5", ".msgpack", ".onnx", ".gguf"))]
        found = f", only {', '.join(others)}, which can't be read here" if others else ""
        return f"{found}; a model folder holds config.json and {WEIGHTS_FILE}"
    why = "reading a pickle can run code that someone put into it, so none is read"
    weights = [name for name in pickles if name.startswith("pytorch_model") and name.endswith(".bin")]
    if not weights:
        return f", only pickle files ({', '.join(pickles)}): {why}; ask for a safetensors file"
    convert = (
        "import torch, safetensors.torch as s; "
        f"t = {{k: v.clone() for f in {weights} for k, v in torch.load(f, weights_only=True).items()}}; "
        f"s.save_file(t, '{WEIGHTS_FILE}', {{'format': 'pt'}})"
    )
    advice = "Where torch is installed, this in Python, started in that folder, converts the weights as they are"
    return f", only pickle files ({', '.join(pickles)}): {why}. {advice}: {convert}"


def save_tensors(tensors: Mapping[str, np.ndarray], file: Path) -> None:
    """Write the tensors in float32, with the metadata that transformers asks for. A full disk raises OSError."""
    contiguous = {name: np.ascontiguousarray(tensors[name], np.float32) for name in sorted(tensors)}
    file.touch()
    mode = file.stat().st_mode  # what the user's umask gives; the library leaves a file that only its owner can read
    try:
        save_file(contiguous, file, {"format": "pt"})
        file.chmod(mode)
    except SafetensorError as error:
        raise OSError(str(error)) from None


def _open(file: Path) -> Any:
    if not file.is_file():  # a pipe would never end
        raise UserError(f"{file} must be an ordinary file; is it a link to one that isn't there?")
    try:
        return safe_open(file, framework="numpy")
    except SafetensorError as error:
        raise UserError(f"{file} is not a whole safetensors file ({error}); download or copy it again") from None
    except OSError as error:
        raise UserError(f"{file} can't be read: {error}") from None


def _files_of_index(folder: Path) -> list[Path]:
    index = folder / INDEX_FILE
    weight_map = read_json_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or {*map(type, weight_map.values())} != {str}:
        raise UserError(f"{index} needs a weight_map: which file each tensor is in")
    files = [path_within(folder, name) for name in sorted(set(weight_map.values()))]
    for file in files:
        if not file.is_file():
            raise UserError(f"{index} names {file.name}, which isn't in the folder; download or copy it again")
    return files


def _map_bfloat16(file: Path, name: str) -> np.ndarray:
    """The 16 bits of each number of a BF16 tensor, which NumPy has no type for."""
    with file.open("rb") as opened:
        header_size = int.from_bytes(opened.read(8), "little")
        entry = json.loads(opened.read(header_size))[name]
    return np.memmap(file, "<u2", "r", 8 + header_size + entry["data_offsets"][0], tuple(entry["shape"]))
