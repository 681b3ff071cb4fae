"""What every layer and model is: a tree of parameters with names, living in flat vectors."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.nn.parameter import FlatStorage, Parameter
from minitransformer.randomness import generator

ModuleType = TypeVar("ModuleType", bound="Module")


class Module:
    """A layer or a model. Its attributes that are Parameters, Modules or lists of Modules are its parts.

    A part's name is its path, such as "layers.0.attention.query.weight". A parameter that is reached by two paths (a
    tied weight) has the name of the first, and is there once.
    """

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Inference: the result alone, no cache, no dropout."""
        return self.forward(*args, **kwargs)[0]

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its name."""
        seen = set()
        for name, parameter in self._paths():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter

    def initialise(self: ModuleType, seed: int = 0, dtype: DTypeLike = np.float32) -> ModuleType:
        """Give every parameter a place and its first value, a function of the seed and its name. Returns the module."""
        self.allocate(dtype)
        for name, parameter in self.named_parameters():
            parameter.value[...] = parameter.initialiser(generator(seed, "initial value", name), parameter.shape)
        return self

    def allocate(self, dtype: DTypeLike = np.float32) -> None:
        """Give every parameter its place in the flat vectors, without a value. The decayed ones come first."""
        named = sorted(self.named_parameters(), key=lambda entry: not entry[1].decayed)
        num_decayed = sum(parameter.size for _, parameter in named if parameter.decayed)
        storage = FlatStorage(np.empty(sum(parameter.size for _, parameter in named), dtype), num_decayed)
        start = 0
        for _, parameter in named:
            parameter.storage, parameter.place = storage, slice(start, start + parameter.size)
            start += parameter.size

    @property
    def storage(self) -> FlatStorage:
        """The two flat vectors that the parameters live in."""
        _, first = next(self.named_parameters())
        return first.placed_in()

    @property
    def num_parameters(self) -> int:
        return sum(parameter.size for _, parameter in self.named_parameters())

    def zero_grad(self) -> None:
        self.storage.zero_grad(parameter.place for _, parameter in self.named_parameters())

    def replica(self: ModuleType) -> ModuleType:
        """A copy that shares the values and has gradients of its own: what a parallel worker needs."""
        storage = self.storage
        # The dictionary tells deepcopy what stands for the storage, so the values themselves are not copied.
        return copy.deepcopy(self, {id(storage): storage.replica()})

    def _paths(self) -> Iterator[tuple[str, Parameter]]:
        for name, part in vars(self).items():
            if isinstance(part, Parameter):
                yield name, part
            elif isinstance(part, Module):
                yield from ((f"{name}.{path}", parameter) for path, parameter in part._paths())
            elif isinstance(part, list):
                for i, item in enumerate(part):
                    yield from ((f"{name}.{i}.{path}", parameter) for path, parameter in item._paths())
