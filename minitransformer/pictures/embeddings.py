"""A map of embeddings that says how much it lies, with each text's neighbours as they really are."""

import math
from collections.abc import Sequence

import numpy as np

from minitransformer.evaluation.embedding_map import EmbeddingMap
from minitransformer.pictures.colours import KINDS
from minitransformer.pictures.drawing import FONT_SIZE, Drawing, svg, width_of, words
from minitransformer.pictures.elements import Element, element, json_script
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table, scrolling

WIDTH, HEIGHT, SIZE = 640, 480, 4  # of the map, and of a point
MOST_ROWS = 10  # of the table
SHAPES = ["circle", "square", "triangle", "cross"]  # so that labels differ by more than their colours
MOST_LABELS = len(KINDS) * len(SHAPES)  # with marks of their own


def embeddings_picture(texts: Sequence[str], map_: EmbeddingMap, labels: Sequence[str] | None = None) -> Picture:
    """The texts at their places; a label has a colour and a shape."""
    kinds = [*dict.fromkeys(labels)] if labels else []
    numbers = [kinds.index(label) for label in labels] if labels else [0] * len(texts)
    return Picture(
        title=f"A map of {len(texts)} embeddings",
        finding=finding(map_),
        data={"texts": list(texts), "labels": labels, **map_._asdict()},
        tables=(neighbours_table(texts, map_),),
        drawing=embeddings_drawing(texts, map_.places, numbers, kinds),
        contents=_page(texts, map_, numbers, kinds),
        script="embeddings.js",
    )


def finding(map_: EmbeddingMap) -> str:
    """What is lost on the map."""
    k = map_.neighbours.shape[1]
    trust = "" if math.isnan(map_.trustworthiness) else f" (trustworthiness {map_.trustworthiness:.2f})"
    return (
        f"The map shows {map_.shown:.0%} of the variance, and keeps {map_.kept:.0%} of each text's {k} nearest "
        f"neighbours{trust}: what is near on it need not be similar."
    )


def neighbours_table(texts: Sequence[str], map_: EmbeddingMap) -> Table:
    rows = [
        [text, "; ".join(texts[i] for i in neighbours[:3])]
        for text, neighbours in zip(texts[:MOST_ROWS], map_.neighbours, strict=False)
    ]
    first = f"the first {MOST_ROWS} texts" if len(texts) > MOST_ROWS else "each text"
    return Table(f"The nearest of {first}, by their whole embeddings", ["text", "nearest"], rows)


def embeddings_drawing(
    texts: Sequence[str], places: np.ndarray, numbers: Sequence[int], kinds: Sequence[str]
) -> Drawing:
    low, high = places.min(axis=0), places.max(axis=0)
    scaled = (places - low) / np.where(high > low, high - low, 1)
    parts: list[Element] = []
    for text, number, (x, y) in zip(texts, numbers, scaled, strict=True):
        point = _point(number, SIZE + x * (WIDTH - 2 * SIZE), SIZE + (1 - y) * (HEIGHT - 2 * SIZE))
        parts.append(element("g", element("title", text), point, class_="point"))
    for number, kind in enumerate(kinds):
        y = (number + 1) * 1.5 * FONT_SIZE
        parts += [_point(number, WIDTH + 20, y), words(kind, WIDTH + 32, y, dominant_baseline="central")]
    width = WIDTH + (32 + max(map(width_of, kinds)) if kinds else 0)
    return Drawing(element("g", *parts), width, max(HEIGHT, (len(kinds) + 1) * 1.5 * FONT_SIZE))


def _point(number: int, x: float, y: float) -> Element:
    colour, shape = KINDS[number % len(KINDS)], SHAPES[(number // 2 + number // len(KINDS)) % len(SHAPES)]
    s = SIZE
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=s, fill=colour)
    path = {
        "square": f"M{x - s:.1f} {y - s:.1f}h{2 * s}v{2 * s}h{-2 * s}z",
        "triangle": f"M{x:.1f} {y - s:.1f}l{s} {2 * s}h{-2 * s}z",
        "cross": f"M{x - s:.1f} {y - s:.1f}l{2 * s} {2 * s}m0 {-2 * s}l{-2 * s} {2 * s}",
    }[shape]
    return element("path", d=path, fill=colour, stroke=colour, stroke_width=1.5)


def _page(
    texts: Sequence[str], map_: EmbeddingMap, numbers: Sequence[int], kinds: Sequence[str]
) -> tuple[Element, ...]:
    drawing = svg(embeddings_drawing(texts, map_.places, numbers, kinds), "The map", finding(map_))
    search = element("label", "Find a text: ", element("input", type="search", id="search", list="texts"))
    options = element("datalist", *(element("option", text) for text in dict.fromkeys(texts)), id="texts")
    data = {"texts": list(texts), "neighbours": map_.neighbours.tolist()}
    return (
        search,
        options,
        element(
            "div",
            element("p", "Choose a point, or type a text, to see its nearest.", id="chosen", aria_live="polite"),
            element("ol", id="nearest"),
        ),
        element("figure", scrolling(drawing, "The map")),
        neighbours_table(texts, map_).as_element(),
        json_script("data", data),
    )
