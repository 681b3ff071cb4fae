"""The tensors of a model that an adapter changes.

Nobody needs LoRA's layers to ask an adapted model: its tensors are the model's own with s A B added, and are put
together while they are read.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from minitransformer.errors import UserError, errors_in
from minitransformer.interop.layouts.lora import PREFIX, adapter_layout
from minitransformer.interop.loading import Checkpoint
from minitransformer.interop.lora_settings import read_lora_settings
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.interop.tensor_layout import TensorLayout

ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors"
_PART = re.compile(r"(.+)\.lora_[AB]\.weight")


class AdaptedTensors(Mapping[str, np.ndarray]):
    """The tensors of a model as an adapter changes them: W + s A B in place of W, and the adapter's heads.

    Raises UserError if the adapter doesn't fit the model: if it changes nothing, or what the model doesn't have; if one
    of its tensors is missing, or has another shape.
    """

    def __init__(self, base: Checkpoint, folder: Path, layout: TensorLayout) -> None:
        self.base, self.layout = base, layout
        self.file = folder / ADAPTER_WEIGHTS_FILE
        self.settings = read_lora_settings(folder)
        self.adapter = _open_adapter(folder)
        with errors_in(self.file):
            found = adapter_layout(layout).index(self.adapter)
        names = {layout.canonical(name): name for name in base}
        there = [f"{match[1]}.weight" for match in map(_PART.fullmatch, found) if match]
        changed = [*filter(self._is_target, names), *there]
        self.updates = {names.get(weight, weight): self._update(weight, found) for weight in changed}
        self.heads = {names.get(name, name): theirs for name, theirs in found.items() if not _PART.fullmatch(name)}
        self.shapes = {**base.shapes, **{name: self.adapter.shapes[theirs] for name, theirs in self.heads.items()}}
        self._check()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.updates:
            return self.adapter[self.heads[name]] if name in self.heads else self.base[name]
        tensor = np.empty(self.shapes[name])
        self.copy_to(name, tensor)
        return tensor

    def copy_to(self, name: str, destination: np.ndarray) -> None:
        """Copy a tensor into an array of its shape; the update is computed in the array's precision."""
        if name in self.heads:
            self.adapter.copy_to(self.heads[name], destination)
            return
        self.base.copy_to(name, destination)
        if name in self.updates:
            a, b = (self.adapter[part].astype(destination.dtype) for part in self.updates[name])
            update = self.settings.scale * (b @ a)
            destination += update if self._is_transposed(name) else update.T

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def _is_target(self, weight: str) -> bool:
        """Whether the settings name the layer of this tensor, which must be one of the encoder's linear layers."""
        row, module = self.layout.row_of(weight), weight.removesuffix(".weight")
        is_linear = row is not None and row.ours.endswith(".weight") and self.layout.head_of(row.ours) is None
        return is_linear and any(map(self.settings.names, (module, f"{self.layout.their_prefix}{module}")))

    def _update(self, weight: str, found: Mapping[str, str]) -> list[str]:
        """The names of A and B in the file."""
        names = [f"{weight.removesuffix('weight')}lora_{part}.weight" for part in "AB"]
        if lacking := [name for name in names if name not in found]:
            raise UserError(f"{self.file} lacks {PREFIX}{lacking[0]}, which belongs to its target_modules")
        return [found[name] for name in names]

    def _check(self) -> None:
        if not self.updates:
            targets = f"target_modules {self.settings.targets!r} name no linear layer of {self.base.file}"
            raise UserError(f"{self.file} changes nothing: its {targets}")
        for weight, (a, b) in self.updates.items():
            if weight not in self.base.shapes or self.layout.row_of(weight) is None:
                raise UserError(f"{self.file} changes {weight}, which {self.base.file} doesn't have")
            out_in = self.base.shapes[weight] if self._is_transposed(weight) else self.base.shapes[weight][::-1]
            for tensor, shape in ((a, (self.settings.rank, *out_in[1:])), (b, (*out_in[:1], self.settings.rank))):
                if self.adapter.shapes[tensor] != shape:
                    shapes = f"has the shape {[*self.adapter.shapes[tensor]]}, expected {[*shape]}"
                    raise UserError(f"{self.file}: the tensor {tensor} {shapes}")
        if unknown := [theirs for theirs in self.heads.values() if "lora_" in theirs]:
            raise UserError(f"{self.file} holds {unknown[0]}, which isn't supported; updates of linear layers are")

    def _is_transposed(self, weight: str) -> bool:
        row = self.layout.row_of(weight)
        return row is not None and row.how.transposed


def _open_adapter(folder: Path) -> Tensors:
    file = folder / ADAPTER_WEIGHTS_FILE
    if not file.is_file():
        pickle = "adapter_model.bin is never read, since a pickle can run code: let peft save the adapter again"
        raise UserError(f"{folder} has no {file.name}; {pickle}")
    return Tensors([file])
