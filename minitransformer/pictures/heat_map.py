"""A matrix as cells whose colour is their value, with the value in it and a name for each row and column."""

from collections.abc import Callable, Sequence

import numpy as np

from minitransformer.pictures.colours import ink_on, share_colour
from minitransformer.pictures.drawing import FONT_SIZE, LETTER, Drawing, width_of, words
from minitransformer.pictures.elements import Element, element

CELL = 26
SLANT = 0.7  # sine and cosine of 45 degrees, at which the columns' names stand


def per_cent(share: float) -> str:
    """
    >>> per_cent(0.6466), per_cent(0.004)
    ('65', '0')
    """
    return f"{100 * share:.0f}"


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    colour: Callable[[float], str] = share_colour,
    text: Callable[[float], str] | None = per_cent,
    cell: tuple[float, float] = (CELL, CELL),
) -> Drawing:
    """values (R, C) with the names of R rows, and of C columns or of none; cells are `cell` wide and high.

    colour and text say what a value looks like; without a text the cells are empty. nan is no cell.
    """
    num_columns, (width, height) = values.shape[1], cell
    left = max(map(width_of, rows), default=0) + LETTER
    top = max(map(width_of, columns)) * SLANT + FONT_SIZE if columns else 0.0
    parts: list[Element] = []
    for j, name in enumerate(columns):
        x, y = left + (j + 0.5) * width, top - 4
        parts.append(words(name, x, y, transform=f"rotate(-45 {x:g} {y:g})"))
    for i, name in enumerate(rows):
        y = top + (i + 0.5) * height
        parts.append(words(name, left - LETTER / 2, y, text_anchor="end", dominant_baseline="central"))
        for j, value in enumerate(values[i].tolist()):
            if not np.isnan(value):
                label = "" if text is None else text(value)
                parts.append(cell_element(left + j * width, top + i * height, cell, colour(value), label))
    overhang = max(
        (SLANT * width_of(name) - (num_columns - j - 0.5) * width for j, name in enumerate(columns)), default=0
    )
    right = left + num_columns * width + max(0, overhang)
    return Drawing(element("g", *parts), right, top + len(rows) * height)


def cell_element(x: float, y: float, size: tuple[float, float], colour: str, label: str) -> Element:
    """A coloured box, and what is written in it in a colour that can be read there."""
    width, height = size
    box = element("rect", x=x, y=y, width=width - 1, height=height - 1, fill=colour)
    if not label:
        return box
    middle = {"x": x + (width - 1) / 2, "y": y + (height - 1) / 2}
    place = {"text_anchor": "middle", "dominant_baseline": "central", "font_size": FONT_SIZE - 1}
    return element("g", box, element("text", label, **middle, **place, fill=ink_on(colour)))
