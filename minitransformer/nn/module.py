"""What every layer and model is: a tree of parameters with names, living in flat vectors."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.nn.parameter import FlatStorage, Parameter

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
        """The result alone, for inference."""
        return self.forward(*args, **kwargs)[0]

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Every module that this one is made of, with its name."""
        for name, part in self._named_parts():
            if isinstance(part, Module):
                yield name, part
                yield from ((f"{name}.{path}", module) for path, module in part.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its name."""
        seen = set()
        for name, parameter in self._paths():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter

    @property
    def num_parameters(self) -> int:
        return sum(parameter.size for _, parameter in self.named_parameters())

    @property
    def is_trained(self) -> bool:
        """Whether any parameter is trained, and not all of them are frozen."""
        return any(parameter.trained for _, parameter in self.named_parameters())

    @property
    def storage(self) -> FlatStorage:
        """The flat vectors of what is trained: of this module, or of the whole model that it is a part of."""
        for _, parameter in self.named_parameters():
            if parameter.trained:
                return parameter.storage
        raise RuntimeError("nothing of this module is trained: it has no gradients")

    @property
    def dtype(self) -> np.dtype:
        """What the module computes in."""
        return next(parameter.value.dtype for _, parameter in self.named_parameters())

    def initialise(self: ModuleType, seed: int = 0, dtype: DTypeLike = np.float32) -> ModuleType:
        """Give every parameter a place and an initial value, a function of seed and name. Returns the module."""
        self.allocate(dtype)
        for name, parameter in self.named_parameters():
            parameter.initialise(seed, name)
        return self

    def allocate(self, dtype: DTypeLike = np.float32) -> None:
        """Give every parameter a place without a value: the trained ones in one storage, the frozen ones in another."""
        parameters = [parameter for _, parameter in self.named_parameters()]
        for trained in (True, False):
            _place_in_one_storage([parameter for parameter in parameters if parameter.trained == trained], dtype)

    def freeze(self, *parts: Module) -> None:
        """Stop training these parts: their parameters keep their values, and have no gradients from now on.

        To be called on the whole model, since all of its parameters move; an optimizer is to be made afterwards.
        """
        for part in parts:
            for _, parameter in part.named_parameters():
                parameter.trained = False
        self.move_to_one_storage()

    def move_to_one_storage(self) -> None:
        """Allocate anew, for parts that had storages of their own or have been frozen, and keep all values."""
        values = [(parameter, parameter.value) for _, parameter in self.named_parameters()]
        self.allocate(self.dtype)
        for parameter, value in values:
            parameter.value[...] = value

    def replace(self, replacements: Mapping[Module, Module]) -> None:
        """Put other modules in the place of parts, wherever in this module they are."""
        for name, part in vars(self).items():
            if isinstance(part, list):
                vars(self)[name] = [replacements.get(item, item) for item in part]
            elif isinstance(part, Module):
                vars(self)[name] = replacements.get(part, part)
        for _, part in self._named_parts():
            if isinstance(part, Module):
                part.replace(replacements)

    def zero_grad(self) -> None:
        for _, parameter in self.named_parameters():
            if parameter.trained:
                parameter.grad[...] = 0

    def replica(self: ModuleType) -> ModuleType:
        """A copy with gradients of its own: what a parallel worker needs. All that has no gradient is shared.

        copy.copy goes through __getstate__ (nn/parameter.py), which leaves out gradients and views.
        """
        copies: dict[int, Any] = {}

        def copy_of(part: Any) -> Any:
            if not isinstance(part, Module | Parameter | FlatStorage | list):
                return part
            if id(part) not in copies:
                if isinstance(part, list):
                    copies[id(part)] = [copy_of(item) for item in part]
                else:
                    copies[id(part)] = twin = copy.copy(part)
                    vars(twin).update({name: copy_of(value) for name, value in vars(twin).items()})
            return copies[id(part)]

        return copy_of(self)

    def _parts(self) -> Iterable[tuple[str, Any]]:
        return vars(self).items()

    def _named_parts(self) -> Iterator[tuple[str, Any]]:
        for name, part in self._parts():
            if isinstance(part, list):
                yield from ((f"{name}.{i}", item) for i, item in enumerate(part))
            else:
                yield name, part

    def _paths(self) -> Iterator[tuple[str, Parameter]]:
        for name, part in self._named_parts():
            if isinstance(part, Parameter):
                yield name, part
            elif isinstance(part, Module):
                yield from ((f"{name}.{path}", parameter) for path, parameter in part._paths())


def _place_in_one_storage(parameters: list[Parameter], dtype: DTypeLike) -> None:
    """Lay the parameters out one after the other, those that weight decay is for in front."""
    num_decayed = sum(parameter.size for parameter in parameters if parameter.decayed)
    storage = FlatStorage(np.empty(sum(parameter.size for parameter in parameters), dtype), num_decayed)
    start = 0
    for parameter in sorted(parameters, key=lambda parameter: not parameter.decayed):
        parameter.place_in(storage, start)
        start += parameter.size
