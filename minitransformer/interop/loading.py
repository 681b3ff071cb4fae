"""Between the parameters of a module and the tensors of a checkpoint: which is which, do the shapes agree, copy."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from minitransformer.errors import MissingHead, UserError, errors_in
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.nn.module import Module

Heads = tuple[str, ...]  # their paths in a model, such as "bert.pooler"


class Arrays(dict[str, np.ndarray]):
    """A dictionary of arrays that can be loaded like the tensors of a file."""

    file = "the dictionary"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape for name, array in self.items()}

    def copy_to(self, name: str, destination: np.ndarray) -> None:
        destination[...] = self[name]


class Checkpoint(Protocol):
    """Tensors by their names, wherever they are: in files, in a dictionary, in a model that an adapter changes."""

    @property
    def file(self) -> Path | str:
        """What stands for them in messages."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]: ...

    def __iter__(self) -> Iterator[str]: ...

    def __getitem__(self, name: str, /) -> np.ndarray: ...

    def copy_to(self, name: str, destination: np.ndarray) -> None: ...


class Loading:
    """Which tensor fills which parameter. Everything is checked before memory is allocated.

    A head that the checkpoint lacks is initialised anew. `needed` are heads that it must have (others may then be
    missing without a warning), and `new` heads to initialise anew whatever it has.

    sources    {parameter: the tensor that fills it}, both by name
    missing    the parameters for which there is no tensor
    unused     the tensors for which there is no parameter

    Raises MissingHead if a needed head is incomplete, and UserError if anything outside the heads is missing or a shape
    differs.
    """

    def __init__(
        self, module: Module, layout: TensorLayout, tensors: Checkpoint, needed: Heads | None = None, new: Heads = ()
    ) -> None:
        self.layout, self.tensors, self.needed = layout, tensors, needed
        self.parameters = dict(module.named_parameters())
        with errors_in(tensors.file):
            found = layout.index(tensors)
        wanted = {name: layout.canonical(layout.find(name)[0]) for name in self.parameters if not _is_in(name, new)}
        self.sources = {name: found[tensor] for name, tensor in wanted.items() if tensor in found}
        self.missing = [name for name in wanted if name not in self.sources]
        used = {*self.sources.values(), *(found.get(decoder) for decoder in layout.tied)}
        self.unused = [tensor for tensor in found.values() if tensor not in used]
        self._check_missing()
        self._check_shapes()
        self._check_size_of_new()

    def _check_missing(self) -> None:
        if lacking := [name for name in self.missing if self.layout.head_of(name) is None]:
            raise UserError(f"{self.tensors.file} lacks {self.tensors_of(lacking)}, which the model needs")
        if lacking := [name for name in self.missing if _is_in(name, self.needed or ())]:
            has_no = f"{self.tensors.file} has no {self._heads_of(lacking)}"
            raise MissingHead(f"{has_no}: it lacks {self.tensors_of(lacking)}")

    def _check_shapes(self) -> None:
        for name, tensor in self.sources.items():
            found = self.tensors.shapes[tensor]
            expected = self.layout.find(name)[1].shape_there(self.parameters[name].shape)
            if found != expected:
                shapes = f"has the shape {list(found)}, but by the model's config it is {list(expected)}"
                raise UserError(f"{self.tensors.file}: the tensor {tensor} {shapes}")

    def _check_size_of_new(self) -> None:
        """New heads are small next to the encoder, unless a setting is absurd."""
        new = [name for name in self.parameters if name not in self.sources]
        found_size, new_size = (sum(self.parameters[name].size for name in names) for names in (self.sources, new))
        if new_size > found_size:
            sizes = f"would have {new_size} weights, but the whole of {self.tensors.file} has {found_size}"
            raise UserError(f"by the model's config {self._heads_of(new)} {sizes}")

    def copy(self) -> None:
        """Give every parameter its tensor's value."""
        for name, tensor in self.sources.items():
            how, value = self.layout.find(name)[1], self.parameters[name].value
            if how.third is None:
                self.tensors.copy_to(tensor, how.tensor_of(value))
            else:
                value[...] = how.part_of(self.tensors[tensor])

    def fill(self, seed: int) -> None:
        """As copy, and give every other parameter an initial value drawn from `seed`."""
        self.copy()
        for name, parameter in self.parameters.items():
            if name not in self.sources:
                parameter.initialise(seed, name)

    def warn(self) -> None:
        """Warn of missing heads, if they matter, and of tensors without which the encoder computes something else."""
        if self.missing and self.needed is None:
            has_no = f"{self.tensors.file} has no {self._heads_of(self.missing)}"
            warnings.warn(f"{has_no}: new, with random values; train before you use it", stacklevel=4)
        if ignored := self.layout.of_the_encoder(self.unused):
            warnings.warn(f"{self.tensors.file} also holds {_some(ignored)}: ignored by this model", stacklevel=4)

    def tensors_of(self, parameters: Iterable[str]) -> str:
        return _some([self.layout.find(name)[0] for name in parameters])

    def _heads_of(self, parameters: Iterable[str]) -> str:
        return ", ".join(sorted({head for name in parameters if (head := self.layout.head_of(name))}))


def values_of(module: Module, layout: TensorLayout) -> dict[str, np.ndarray]:
    """Every parameter's value in the layout's names and shapes: views, which change when the module is trained."""
    return layout.arrange((name, parameter.value) for name, parameter in module.named_parameters())


def load_all(module: Module, layout: TensorLayout, tensors: Checkpoint) -> None:
    """Give every parameter its tensor's value. Raises UserError, and changes nothing, if they don't fit exactly."""
    loading = Loading(module, layout, tensors)
    if loading.missing:
        raise UserError(f"{tensors.file} lacks {loading.tensors_of(loading.missing)}")
    if loading.unused:
        raise UserError(f"{tensors.file} holds {_some(loading.unused)}, which this model doesn't have")
    if layout.tied.keys().isdisjoint(map(layout.canonical, loading.sources.values())) and is_untied(layout, tensors):
        raise UserError(f"{tensors.file}: the decoder differs from the token embedding; here they are one")
    loading.copy()


def is_untied(layout: TensorLayout, tensors: Checkpoint) -> bool:
    """Whether the decoder isn't the embedding, but a matrix of its own."""
    with errors_in(tensors.file):
        names = layout.index(tensors)
    pairs = [(names[decoder], names[table]) for decoder, table in layout.tied.items() if decoder in names]
    return any(not _are_equal_matrices(tensors, *pair) for pair in pairs if pair[0] != pair[1])


def _are_equal_matrices(tensors: Checkpoint, first: str, second: str) -> bool:
    are_matrices = len(tensors.shapes[first]) == len(tensors.shapes[second]) == 2
    return are_matrices and np.array_equal(tensors[first], tensors[second])


def _is_in(parameter: str, parts: Heads) -> bool:
    return parameter.startswith(tuple(f"{part}." for part in parts))


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
