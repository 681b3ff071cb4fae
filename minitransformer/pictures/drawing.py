"""Drawings: elements of SVG with a size, which are put beside and under each other.

Lengths are in pixels. Letters are of one width, so that a drawing knows its size without a browser.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from minitransformer.pictures.colours import GREY
from minitransformer.pictures.elements import Element, element

FONT_SIZE, LETTER = 12, 7.25  # the height and the width of a letter
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
GAP = 24


class Drawing(NamedTuple):
    element: Element
    width: float
    height: float


def words(text: str, x: float, y: float, **attributes: Any) -> Element:
    """A line of text that begins at x on the base line y. Grey by itself; a page has a colour of its own for it."""
    return element("text", text, **{"x": x, "y": y, "fill": GREY, "class_": "label", **attributes})


def width_of(text: str) -> float:
    return LETTER * len(text)


def moved(drawing: Drawing, x: float, y: float) -> Element:
    return element("g", drawing.element, transform=f"translate({x:g} {y:g})")


def beside(drawings: Sequence[Drawing], gap: float = GAP) -> Drawing:
    """One to the right of the other, their tops on one line."""
    parts, x = [], 0.0
    for drawing in drawings:
        parts.append(moved(drawing, x, 0))
        x += drawing.width + gap
    return Drawing(element("g", *parts), x - gap, max(drawing.height for drawing in drawings))


def under(drawings: Sequence[Drawing], gap: float = GAP) -> Drawing:
    """One under the other, their left sides on one line."""
    parts, y = [], 0.0
    for drawing in drawings:
        parts.append(moved(drawing, 0, y))
        y += drawing.height + gap
    return Drawing(element("g", *parts), max(drawing.width for drawing in drawings), y - gap)


def titled(title: str, drawing: Drawing, x: float = 0) -> Drawing:
    """With a line of text above it, which begins at x."""
    text = words(title, x, FONT_SIZE, font_weight="bold")
    body = moved(drawing, 0, 2 * FONT_SIZE)
    return Drawing(element("g", text, body), max(drawing.width, x + width_of(title)), drawing.height + 2 * FONT_SIZE)


def svg(drawing: Drawing, title: str, description: str, data: Any = None) -> Element:
    """The drawing as an image with a text alternative, in front of whatever is behind it.

    `data`, which JSON can hold, is what it was drawn from: it goes into the file for programs to read.
    """
    of_programs = [] if data is None else [element("metadata", json.dumps(data, ensure_ascii=False))]
    width, height = (round(size + 2) for size in (drawing.width, drawing.height))
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *of_programs,
        moved(drawing, 1, 1),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        font_family=FONT,
        font_size=FONT_SIZE,
    )
