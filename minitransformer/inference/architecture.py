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
    """Parts that belong together; of equal layers one after the other, one layer and how many there are."""

    name: str
    parts: list[Part]
    times: int

    @property
    def parameters(self) -> int:
        """Of all the layers."""
        return self.times * sum(part.parameters for part in self.parts)


def architecture(model: Module) -> list[Block]:
    """The blocks of a model; layers of a stack are one block as long as each is like the one before.

    Each parameter is in one of the blocks, a tied one where it is first.
    """
    layers: dict[tuple[str, str | None], dict[str, list[Any]]] = {}
    for name, parameter in model.named_parameters():
        if found := _IN_A_STACK.fullmatch(name):
            block, number, path = found.groups()
        else:
            (block, _, path), number = name.partition("."), None
        part = path.rpartition(".")[0] or block
        layers.setdefault((block, number), {}).setdefault(part, []).append(parameter)
    blocks: list[Block] = []
    for (name, _), parameters_of in layers.items():
        parts = [_part(part, parameters) for part, parameters in parameters_of.items()]
        if blocks and blocks[-1][:2] == (name, parts):
            blocks[-1] = Block(name, parts, blocks[-1].times + 1)
        else:
            blocks.append(Block(name, parts, 1))
    return blocks


def _part(name: str, parameters: list[Any]) -> Part:
    return Part(name, [parameter.shape for parameter in parameters], sum(parameter.size for parameter in parameters))
