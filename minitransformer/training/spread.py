"""Work on a long vector, part by part: on one thread, or spread over those of Workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
Spread = Callable[[Callable[[int, int], Result], int], list[Result]]  # see Workers.spread

PARTS_BEGIN_AT = 2**18  # a part of a vector begins at a multiple of this: so blocks of it are the same in any part


def on_this_thread(work: Callable[[int, int], Result], size: int) -> list[Result]:
    """What Workers.spread does, without workers: all of range(size) in one part."""
    return [work(0, size)]
