"""Numbers of several series beside each other, a row for each thing that is measured; the axis need not begin at 0."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.drawing import FONT_SIZE, GAP, Drawing, width_of, words
from minitransformer.pictures.elements import Element, element
from minitransformer.pictures.line_chart import ticks

WIDTH, ROW, RADIUS = 420, 26, 5


class Dot(NamedTuple):
    value: float
    error: float = 0.0  # drawn as a line that reaches so far to both sides


def dot_plot(rows: Sequence[str], series: dict[str, Sequence[Dot | None]]) -> Drawing:
    """For each series a dot in each row that it has one in; the first series is filled, the others are hollow."""
    dots = [dot for of_series in series.values() for dot in of_series if dot is not None]
    marks = ticks(min(dot.value - dot.error for dot in dots), max(dot.value + dot.error for dot in dots))
    left, bottom = max(map(width_of, rows)) + GAP / 2, len(rows) * ROW

    def across(value: float) -> float:
        return left + WIDTH * (value - marks[0]) / (marks[-1] - marks[0])

    parts: list[Element] = []
    for mark in marks:
        x = across(mark)
        parts.append(element("line", x1=x, x2=x, y1=0, y2=bottom, stroke=GREY, stroke_opacity=0.35))
        parts.append(words(f"{mark:g}", x, bottom + 1.3 * FONT_SIZE, text_anchor="middle"))
    for number, name in enumerate(rows):
        y = (number + 0.5) * ROW
        parts.append(words(name, left - GAP / 2, y, text_anchor="end", dominant_baseline="central"))
        for kind, of_series in enumerate(series.values()):
            if (dot := of_series[number]) is not None:
                parts += _dot(across, dot, y, kind)
    for kind, name in enumerate(series):
        x, y = left + WIDTH + GAP, (kind + 0.5) * ROW
        parts += [*_dot(lambda value: value, Dot(x), y, kind), words(name, x + 14, y, dominant_baseline="central")]
    return Drawing(element("g", *parts), left + WIDTH + GAP + 14 + max(map(width_of, series)), bottom + 2 * FONT_SIZE)


def _dot(across: Callable[[float], float], dot: Dot, y: float, kind: int) -> list[Element]:
    colour, x = KINDS[kind], across(dot.value)
    fill = {"fill": colour} if kind == 0 else {"fill": "none", "stroke": colour, "stroke_width": 2}
    circle = element("circle", cx=x, cy=y, r=RADIUS, **fill)
    if not dot.error:
        return [circle]
    ends = {"x1": across(dot.value - dot.error), "x2": across(dot.value + dot.error)}
    return [element("line", **ends, y1=y, y2=y, stroke=colour, stroke_width=2), circle]
