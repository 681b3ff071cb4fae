"""Pieces of a diagram: frames with lines of text, and arrows."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.drawing import FONT_SIZE, width_of, words
from minitransformer.pictures.elements import Element, element

LINE = 1.6 * FONT_SIZE
EDGE = 12  # between a frame and what is in it
HEAD = 5  # length of an arrow's head
STEP = 18  # from a frame to the next one in a chain

Point = tuple[float, float]


class Frame(NamedTuple):
    """Where a frame is; its sides are their middles."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> Point:
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> Point:
        return self.x + self.width / 2, self.y + self.height

    @property
    def left(self) -> Point:
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        return self.x + self.width, self.y + self.height / 2


def frame_around(lines: Sequence[str], x: float, y: float, width: float = 0) -> Frame:
    """As wide as its widest line, or as `width` if that is more."""
    return Frame(x, y, max(width, max(map(width_of, lines)) + 2 * EDGE), len(lines) * LINE + EDGE)


def framed(lines: Sequence[str], frame: Frame, colour: str = KINDS[0]) -> Element:
    """The lines in the middle of the frame, one under the other; of several, the first is bold."""
    x, _ = frame.top
    texts = [
        words(
            line,
            x,
            frame.y + (number + 1) * LINE,
            text_anchor="middle",
            font_weight="bold" if number < len(lines) - 1 else None,
        )
        for number, line in enumerate(lines)
    ]
    return element("g", outline(frame, colour), *texts)


def outline(frame: Frame, colour: str = KINDS[0], **attributes: str) -> Element:
    place = {"x": frame.x, "y": frame.y, "width": frame.width, "height": frame.height}
    return element("rect", **place, rx=6, fill="none", stroke=colour, stroke_width=1.5, **attributes)


def arrow(points: Sequence[Point], colour: str = GREY) -> Element:
    """Along the points, with its head at the last."""
    (x0, y0), (x, y) = points[-2:]
    along = math.atan2(y - y0, x - x0)
    sides = [(x - HEAD * math.cos(along + turn), y - HEAD * math.sin(along + turn)) for turn in (0.7, -0.7)]
    path = f"{_line(points)} {_line([sides[0], (x, y), sides[1]])}"
    return element("path", d=path, fill="none", stroke=colour, stroke_width=1.5)


def _line(points: Sequence[Point]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def chain(texts: Sequence[Sequence[str]], x: float, y: float, width: float) -> tuple[list[Frame], list[Element]]:
    """A frame for each of the texts, one under the other, and arrows from each to the next."""
    frames: list[Frame] = []
    for lines in texts:
        frames.append(frame_around(lines, x, y, width))
        y = frames[-1].bottom[1] + STEP
    arrows = [arrow([above.bottom, below.top]) for above, below in itertools.pairwise(frames)]
    return frames, [*(framed(lines, frame) for lines, frame in zip(texts, frames, strict=True)), *arrows]
