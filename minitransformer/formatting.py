"""Results as text for a terminal."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

_NUMBER = re.compile(r"-?[\d,]+(\.\d+)?(e[+-]\d+)?%?|undefined|")  # or an empty cell


def format_table(rows: Sequence[Sequence[object]]) -> str:
    """Rows of cells as lines: columns of numbers end at the same place, columns of words begin at the same place.

    >>> print(format_table([["", "my", "dog"], ["a", 1.5, "10%"], ["longer", "", "3%"]]))
             my  dog
    a       1.5  10%
    longer        3%
    """
    columns = [[str(cell) for cell in column] for column in zip_longest(*rows, fillvalue="")]
    padded = []
    for column in columns:
        width = max(map(len, column))
        is_numeric = all(map(is_number, column[1:]))
        padded.append([cell.rjust(width) if is_numeric else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*padded, strict=True))


def is_number(cell: str) -> bool:
    """Whether a cell of a table holds a number, or nothing.

    >>> is_number("-1,024.5"), is_number("10%"), is_number("1e-03"), is_number("ten")
    (True, True, True, False)
    """
    return _NUMBER.fullmatch(cell) is not None


def printable(text: str) -> str:
    """A text from elsewhere without what would change a terminal.

    >>> printable("Mi\x1b[31mlk")
    'Mi?[31mlk'
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def in_words(metrics: Mapping[str, float]) -> str:
    """
    >>> in_words({"accuracy": 0.92971, "macro_f1": 0.891})
    'accuracy 0.930, macro f1 0.891'
    """
    return ", ".join(f"{name.replace('_', ' ')} {in_digits(value, 3)}" for name, value in metrics.items())


def in_digits(value: float, digits: int) -> str:
    """
    >>> in_digits(0.92971, 3), in_digits(float("nan"), 3)
    ('0.930', 'undefined')
    """
    return "undefined" if math.isnan(value) else f"{value:.{digits}f}"
