"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest


def aligned(rows: Sequence[Sequence[object]]) -> str:
    """Rows of cells as lines: numbers end at the same place, words begin at the same place.

    >>> print(aligned([["", "my", "dog"], ["a", 1.5, 10], ["longer", 2.25, 3]]))
              my  dog
    a        1.5   10
    longer  2.25    3
    """
    columns = [[str(cell) for cell in column] for column in zip_longest(*rows, fillvalue="")]
    padded = []
    for column in columns:
        width = max(map(len, column))
        is_numeric = all(_is_number(cell) for cell in column[1:])
        padded.append([cell.rjust(width) if is_numeric else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*padded, strict=True))


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()
