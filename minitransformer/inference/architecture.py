"""What a model is built of: its parameters, by block and part, in the order in which a text passes them."""

import re
from typing import Any, NamedTuple

from minitransformer.nn.module import Module

_IN_A_STACK = re.compile(r"(.+?)\.(\d+)\.(.+)")


class Part(NamedTuple):
    """A layer of nn/, such as a Linear: the shapes of its arrays, and how many numbers they have."""

    name: str
    shapes: list[tuple[int, ...]]
    parameters: int


class Block(NamedTuple):
    """Parts that belong together; of a stack of equal layers, one layer and how many there are."""

    name: str
    parts: list[Part]
    times: int

    @property
    def parameters(self) -> int:
        """Of all the layers."""
        return self.times * sum(part.parameters for part in self.parts)


def architecture(model: Module) -> list[Block]:
    """The blocks of a model. Each parameter is in one of them, a tied one where it is first."""
    arrays: dict[str, dict[str, list[Any]]] = {}
    times: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        if found := _IN_A_STACK.fullmatch(name):
            block, number, path = found[1], int(found[2]), found[3]
            times[block] = number + 1
            if number:
                continue
        else:
            block, _, path = name.partition(".")
        part = path.rpartition(".")[0] or block
        arrays.setdefault(block, {}).setdefault(part, []).append(parameter)
    return [
        Block(block, [_part(name, parameters) for name, parameters in parts.items()], times.get(block, 1))
        for block, parts in arrays.items()
    ]


def _part(name: str, parameters: list[Any]) -> Part:
    return Part(name, [parameter.shape for parameter in parameters], sum(parameter.size for parameter in parameters))
