"""The look that --layer and --head ask for."""

from collections.abc import Sequence

from minitransformer.errors import UserError
from minitransformer.inference.attention_maps import Look


def first_look(looks: Sequence[Look], counts: tuple[int, ...], layer: int | None, head: int | None) -> Look:
    """The first look, in that layer or head if they are given. `counts` are those of the layers and of their heads.

    looks has one of each head. Raises UserError if there is no such layer or head.
    """
    for name, number, count in zip(("layer", "head"), (layer, head), counts, strict=True):
        if number is not None and number >= count:
            raise UserError(f"--{name} is {number}, but the model has {count}, counted from 0")
    return next(look for look in looks if layer in (None, look.layer) and head in (None, look.head))
