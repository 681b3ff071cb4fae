"""What a family of models calls its tensors in files, and which way round it stores them: a table.

A row says where a parameter of ours is found:

    ours                                their name                                          how
    layers.{i}.attention.query.weight   bert.encoder.layer.{i}.attention.self.query.weight  TRANSPOSED
    layers.{i}.attention.query.weight   transformer.h.{i}.attn.c_attn.weight                THIRDS[0]

{i} is the number of a layer. Our weights are (in, out), as in y = x W. torch.nn.Linear stores [out, in], and GPT-2
stores the weights of query, key and value side by side as one tensor [H, 3 H].
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError


class How(NamedTuple):
    """How a parameter is stored: transposed, or as it is; as all of its tensor, or as one third of it.

    That is a third of the columns, the last axis of the tensor as we have it. A vector may be the one row of a matrix.
    """

    transposed: bool = False
    third: int | None = None
    one_row: bool = False

    def shape_there(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the tensor that holds a parameter of this shape."""
        if self.one_row:
            return (1, *shape)
        whole = shape if self.third is None else (*shape[:-1], 3 * shape[-1])
        return whole[::-1] if self.transposed else whole

    def tensor_of(self, parameter: np.ndarray) -> np.ndarray:
        """The tensor of a parameter that has one to itself: a view, to read from and to write to."""
        return parameter.T if self.transposed else parameter[None] if self.one_row else parameter

    def part_of(self, tensor: np.ndarray) -> np.ndarray:
        """The parameter in its tensor, or in that which it is a third of, the way round that we have it: a view."""
        whole = tensor[0] if self.one_row else tensor.T if self.transposed else tensor
        return whole if self.third is None else np.split(whole, 3, axis=-1)[self.third]


SAME = How()
TRANSPOSED = How(transposed=True)
ONE_ROW = How(one_row=True)
THIRDS = How(third=0), How(third=1), How(third=2)


class Row(NamedTuple):
    ours: str
    theirs: str
    how: How = SAME


def linear(ours: str, theirs: str) -> list[Row]:
    """The rows of our Linear where theirs is a torch.nn.Linear."""
    return [Row(f"{ours}.weight", f"{theirs}.weight", TRANSPOSED), Row(f"{ours}.bias", f"{theirs}.bias")]


def layer_norm(ours: str, theirs: str) -> list[Row]:
    return [Row(f"{ours}.gamma", f"{theirs}.weight"), Row(f"{ours}.beta", f"{theirs}.bias")]


def embedding(ours: str, theirs: str) -> list[Row]:
    return [Row(f"{ours}.table", f"{theirs}.weight")]


@dataclass(frozen=True)
class TensorLayout:
    """The table of a family, and what else may be found in its files.

    rows           a row for each parameter that a model of the family may have
    our_prefix     how the encoder's names begin inside a model with heads; the rows leave it out
    their_prefix   the same for their names; the rows include it, the fields below leave it out, files may do either
    heads          {our name of a part that a checkpoint may lack: what people call it}
    layers         {the config's field for the number of layers: how the names of a layer's tensors begin}
    tied           {the decoder: the embedding that it equals}. A file may have either or both; if both are there and
                   differ, the decoder is a matrix of its own
    twins          {second name: first name} of a tensor that has two; if a file has both, the second is read
    old_endings    {how a name ends in old files: how it ends today}
    buffers        what old files hold that isn't trained
    """

    rows: list[Row]
    our_prefix: str = ""
    their_prefix: str = ""
    heads: dict[str, str] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    twins: dict[str, str] = field(default_factory=dict)
    old_endings: dict[str, str] = field(default_factory=dict)
    buffers: tuple[str, ...] = ()

    def find(self, name: str) -> tuple[str, How]:
        """What our parameter `name` is called in a file of this model, and how it is stored."""
        row = self._rows.get(_pattern(name.removeprefix(self.our_prefix)))
        if row is None:
            raise LookupError(f"this layout has no row for the parameter {name}")
        theirs = row.theirs if name.startswith(self.our_prefix) else row.theirs.removeprefix(self.their_prefix)
        number = re.search(_NUMBER, name)
        return theirs.replace("{i}", number[1] if number else ""), row.how

    def row_of(self, theirs: str) -> Row | None:
        """The row of a tensor of theirs, or that of its last third; None if no parameter of ours is in it."""
        return self._rows_by_theirs.get(_pattern(self.canonical(theirs)))

    def canonical(self, theirs: str) -> str:
        """A name of theirs without the prefix, and as it ends today."""
        theirs = theirs.removeprefix(self.their_prefix)
        old = next((ending for ending in self.old_endings if theirs.endswith(ending)), "")
        return theirs.removesuffix(old) + self.old_endings[old] if old else theirs

    def index(self, found: Iterable[str]) -> dict[str, str]:
        """The checkpoint's names by the names that the table has for them, without prefix and buffers."""
        names: dict[str, str] = {}
        for name in found:
            canonical = self.canonical(name)
            if canonical in names:
                raise UserError(f"{names[canonical]} and {name} are two names of one tensor; only one can be there")
            if _pattern(canonical) not in self.buffers:
                names[canonical] = name
        for twin, first in self.twins.items():
            if twin in names:
                names[first] = names.pop(twin)
        for decoder, table in self.tied.items():
            if decoder in names:
                names.setdefault(table, names[decoder])
        return names

    def arrange(self, arrays: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Arrays in our parameters' names and shapes, as tensors in those of the file: views where they can be."""
        tensors: dict[str, np.ndarray] = {}
        for name, array in arrays:
            theirs, how = self.find(name)
            if how.third is None:
                tensors[theirs] = how.tensor_of(array)
            else:
                whole = tensors.setdefault(theirs, np.empty(how.shape_there(array.shape), array.dtype))
                how.part_of(whole)[...] = array
        if not tensors.keys().isdisjoint(self.tied):  # transformers then wants the bias under both of its names
            tensors |= {twin: tensors[first] for twin, first in self.twins.items()}
        return tensors

    def head_of(self, parameter: str) -> str | None:
        """What people call the head that our parameter belongs to; None if no checkpoint may lack it."""
        name = f"{parameter.removeprefix(self.our_prefix)}."
        return next((called for head, called in self.heads.items() if name.startswith(f"{head}.")), None)

    def of_the_encoder(self, tensors: Iterable[str]) -> list[str]:
        """Those of a file's tensors that are no part of a head."""
        parts = {self.canonical(row.theirs).partition(".")[0] for row in self.rows if self.head_of(row.ours) is None}
        return [tensor for tensor in tensors if self.canonical(tensor).partition(".")[0] in parts]

    def number_of_layers(self, config_field: str, found: Iterable[str]) -> int:
        """How many different layers the names of a checkpoint belong to; config_field is one of `layers`."""
        beginning = re.escape(self.layers[config_field]).replace(r"\{i\}", r"(\d+)")
        matches = (re.match(beginning, self.canonical(name)) for name in found)
        return len({match[1] for match in matches if match})

    @cached_property
    def _rows(self) -> Mapping[str, Row]:
        return {row.ours: row for row in self.rows}

    @cached_property
    def _rows_by_theirs(self) -> Mapping[str, Row]:
        return {self.canonical(row.theirs): row for row in self.rows}


_NUMBER = r"\.(\d+)\."


def _pattern(name: str) -> str:
    return re.sub(_NUMBER, ".{i}.", name)
