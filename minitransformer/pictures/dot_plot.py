"""Numbers of several series beside each other, a row for each thing that is measured; the axis need not begin at 0."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.drawing import FONT_SIZE, GAP, Drawing, beside, titled, width_of, words
from minitransformer.pictures.elements import Element, element
from minitransformer.pictures.line_chart import ticks

WIDTH, NARROW, ROW, RADIUS = 420, 160, 26, 5


class Dot(NamedTuple):
    value: float
    error: float = 0.0  # drawn as a line that reaches so far to both sides


Series = Mapping[str, Sequence[Dot | None]]  # a name for each, and its dot in each row that it has one in
Numbers = Mapping[str, Sequence[float | None]]  # without errors


def dot_plot(rows: Sequence[str], series: Series) -> Drawing:
    """The first series is filled, the others are hollow."""
    return beside([_field(rows, series, _marks([series]), WIDTH), _legend([*series])])


def dot_plots(rows: Sequence[str], panels: Mapping[str, Numbers]) -> Drawing:
    """Fields beside each other with the same names of rows, the same axis, and the same series."""
    dots = [
        {name: [None if x is None else Dot(x) for x in values] for name, values in series.items()}
        for series in panels.values()
    ]
    marks = _marks(dots)
    fields = [
        _field([""] * len(rows) if number else rows, series, marks, NARROW, title)
        for number, (title, series) in enumerate(zip(panels, dots, strict=True))
    ]
    return beside([*fields, _legend([*dots[0]])])


def _marks(panels: Sequence[Series]) -> list[float]:
    """Of an axis that all dots are on, with their errors."""
    dots = [dot for series in panels for of_series in series.values() for dot in of_series if dot is not None]
    return ticks(min(dot.value - dot.error for dot in dots), max(dot.value + dot.error for dot in dots))


def _field(rows: Sequence[str], series: Series, marks: Sequence[float], width: float, title: str = "") -> Drawing:
    left, bottom = max(map(width_of, rows)) + GAP / 2, len(rows) * ROW

    def across(value: float) -> float:
        return left + width * (value - marks[0]) / (marks[-1] - marks[0])

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
    field = Drawing(element("g", *parts), left + width, bottom + 2 * FONT_SIZE)
    return titled(title, field, left) if title else field


def _legend(names: Sequence[str]) -> Drawing:
    parts: list[Element] = []
    for kind, name in enumerate(names):
        y = (kind + 0.5) * ROW
        parts += [*_dot(float, Dot(RADIUS), y, kind), words(name, RADIUS + 14, y, dominant_baseline="central")]
    return Drawing(element("g", *parts), RADIUS + 14 + max(map(width_of, names)), len(names) * ROW)


def _dot(across: Callable[[float], float], dot: Dot, y: float, kind: int) -> list[Element]:
    colour, x = KINDS[kind], across(dot.value)
    fill = {"fill": colour} if kind == 0 else {"fill": "none", "stroke": colour, "stroke_width": 2}
    circle = element("circle", cx=x, cy=y, r=RADIUS, **fill)
    if not dot.error:
        return [circle]
    ends = {"x1": across(dot.value - dot.error), "x2": across(dot.value + dot.error)}
    return [element("line", **ends, y1=y, y2=y, stroke=colour, stroke_width=2), circle]
