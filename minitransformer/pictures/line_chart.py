"""Curves over the same axis, with lines for what they are to be compared with."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.drawing import FONT_SIZE, LETTER, Drawing, width_of, words
from minitransformer.pictures.elements import Element, element

WIDTH, HEIGHT = 560, 220  # of the field that the curves are in
MOST_POINTS = 300  # of a curve
DASHES = ["", "6 3", "2 3", "9 3 2 3"]  # so that curves differ by more than their colours
MARK = 20  # length of a piece of a curve in the legend

Place = Callable[[float], float]  # from a value to a pixel
Point = tuple[float, float]  # in pixels


class Curve(NamedTuple):
    """Curves of one kind have one colour: a loss in training, and its dots on held-out text."""

    name: str
    x: np.ndarray
    y: np.ndarray
    kind: int = 0
    as_dots: bool = False


class Level(NamedTuple):
    """A horizontal line."""

    name: str
    y: float


class _Name(NamedTuple):
    """What is written to the right of a curve or level, at its height, and how a piece of that is drawn."""

    text: str
    y: float
    draw: Callable[[Sequence[Point]], Element]


def line_chart(curves: Sequence[Curve], levels: Sequence[Level] = (), x_name: str = "") -> Drawing:
    """Curves and levels in one field, each with its name at the right; both axes are linear."""
    curves = [shortened(curve) for curve in curves]
    heights = np.concatenate([*(curve.y for curve in curves), [level.y for level in levels]])
    x_ticks = ticks(0, max(float(curve.x.max()) for curve in curves))
    y_ticks = ticks(min(0.0, float(heights.min())), float(heights.max()))
    left = max(width_of(_number(tick)) for tick in y_ticks) + LETTER

    def across(x: float) -> float:
        return left + WIDTH * (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

    def down(y: float) -> float:
        return FONT_SIZE + HEIGHT * (1 - (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]))

    parts = [
        *_axes(x_ticks, y_ticks, across, down, left),
        words(x_name, left + WIDTH, down(y_ticks[0]) + 34, text_anchor="end"),
    ]
    names = []
    for level in levels:
        y = down(level.y)
        parts.append(_level([(left, y), (left + WIDTH, y)]))
        names.append(_Name(level.name, y, _level))
    for curve in curves:
        draw = partial(_dots if curve.as_dots else _path, kind=curve.kind)
        points = [(across(x), down(y)) for x, y in zip(curve.x, curve.y, strict=True)]
        parts.append(draw(points))
        if curve.name:
            names.append(_Name(curve.name, points[-1][1], draw))
    parts += _legend(names, left + WIDTH)
    width = left + WIDTH + MARK + 18 + max((width_of(name.text) for name in names), default=0)
    return Drawing(element("g", *parts), width, HEIGHT + 4 * FONT_SIZE)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers, from at most `low` to at least `high`.

    >>> ticks(0, 7.3)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    span = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (factor * step) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def shortened(curve: Curve) -> Curve:
    """A curve of at most MOST_POINTS points, each the mean of as many neighbours; its name says of how many."""
    together = -(-len(curve.x) // MOST_POINTS)
    if together == 1:
        return curve
    parts = [slice(start, start + together) for start in range(0, len(curve.x), together)]
    x, y = (np.array([array[part].mean() for part in parts]) for array in (curve.x, curve.y))
    name = ", ".join(filter(None, (curve.name, f"means of {together}")))
    return Curve(name, x, y, curve.kind, curve.as_dots)


def _apart(names: Sequence[_Name]) -> Iterator[_Name]:
    """The same from the top down, moved so that no name is written over another."""
    free = -math.inf
    for name in sorted(names, key=lambda name: name.y):
        free = max(name.y, free)
        yield name._replace(y=free)
        free += 1.2 * FONT_SIZE


def _axes(x_ticks: list[float], y_ticks: list[float], across: Place, down: Place, left: float) -> Iterator[Element]:
    for y in y_ticks:
        yield _line(left, down(y), left + WIDTH, down(y), stroke_opacity=0.35)
        yield words(_number(y), left - LETTER / 2, down(y), text_anchor="end", dominant_baseline="central")
    for x in x_ticks:
        yield words(
            _number(x),
            across(x),
            down(y_ticks[0]) + 1.5 * FONT_SIZE,
            text_anchor="end" if x == x_ticks[-1] else "middle",
        )


def _line(x1: float, y1: float, x2: float, y2: float, **attributes: Any) -> Element:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=GREY, **attributes)


def _level(points: Sequence[Point]) -> Element:
    [(left, y), (right, _)] = points
    return _line(left, y, right, y, stroke_dasharray="1 4", stroke_width=1.5)


def _path(points: Sequence[Point], kind: int) -> Element:
    text, dashes = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points), DASHES[kind % len(DASHES)]
    return element("path", d=text, fill="none", stroke=_colour(kind), stroke_width=2, stroke_dasharray=dashes or None)


def _dots(points: Sequence[Point], kind: int) -> Element:
    dots = [element("circle", cx=round(x, 1), cy=round(y, 1), r=3.5, fill=_colour(kind)) for x, y in points]
    return element("g", *dots)


def _legend(names: Sequence[_Name], x: float) -> Iterator[Element]:
    """Before each name a piece of what it names."""
    for text, y, draw in _apart(names):
        yield draw([(x + 8, y), (x + 8 + MARK, y)])
        yield words(text, x + 18 + MARK, y, dominant_baseline="central")


def _colour(kind: int) -> str:
    return KINDS[kind % len(KINDS)]


def _number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.0e}"
