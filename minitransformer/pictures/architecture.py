"""A picture of an architecture: its blocks from the input down to the output, each part with its shapes and size."""

from collections.abc import Sequence

from minitransformer.inference.architecture import Block, Part
from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.drawing import FONT_SIZE, LETTER, Drawing, under, width_of, words
from minitransformer.pictures.elements import Element, element
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

LINE = 1.6 * FONT_SIZE
EDGE = 12  # between a block's frame and what is in it


def architecture_picture(name: str, blocks: Sequence[Block]) -> Picture:
    """The blocks of the model with that name."""
    total = sum(block.parameters for block in blocks)
    largest = max(blocks, key=lambda block: block.parameters)
    share = largest.parameters / total
    rows = [
        [_words(block), _words(part), _shapes(part), f"{part.parameters:,}", f"{block.times * part.parameters:,}"]
        for block in blocks
        for part in block.parts
    ]
    return Picture(
        title=f"The architecture of {name}",
        finding=f"{total:,} parameters, {share:.0%} of them in the {_words(largest)}.",
        data={
            "parameters": total,
            "blocks": [{**block._asdict(), "parameters": block.parameters} for block in blocks],
        },
        tables=(Table("Parameters of each part", ["block", "part", "shapes", "of one", "of all"], rows),),
        drawing=architecture_drawing(blocks),
    )


def architecture_drawing(blocks: Sequence[Block]) -> Drawing:
    """A frame for each block, the first one on top."""
    return under([_block(block) for block in blocks], gap=EDGE * 2)


def _block(block: Block) -> Drawing:
    """A frame with a line for each part, and an arrow from the block above it."""
    names, shapes = [_words(part) for part in block.parts], [_shapes(part) for part in block.parts]
    counts = [f"{part.parameters:,}" for part in block.parts]
    columns = [max(map(width_of, column)) for column in (names, shapes, counts)]
    title = f"{_words(block)}: {block.parameters:,}"
    width = max(sum(columns) + 4 * EDGE, width_of(title) + 2 * EDGE)
    height = (len(block.parts) + 1) * LINE + EDGE
    parts: list[Element] = [
        element("rect", width=width, height=height, rx=6, fill="none", stroke=KINDS[0], stroke_width=1.5),
        words(title, EDGE, LINE, font_weight="bold"),
    ]
    for line, cells in enumerate(zip(names, shapes, counts, strict=True), start=2):
        parts.append(words(cells[0], EDGE, line * LINE))
        parts.append(words(cells[1], EDGE * 2 + columns[0], line * LINE))
        parts.append(words(cells[2], width - EDGE, line * LINE, text_anchor="end"))
    arrow = f"M {4 * LETTER:g} {height + 3:g} v {2 * EDGE - 8:g} m -4 -5 l 4 5 l 4 -5"
    parts.append(element("path", d=arrow, fill="none", stroke=GREY, stroke_width=1.5))
    return Drawing(element("g", *parts), width, height)


def _words(named: Block | Part) -> str:
    name = named.name.replace("_", " ").replace(".", " ")
    return f"{name} × {named.times}" if isinstance(named, Block) and named.times > 1 else name


def _shapes(part: Part) -> str:
    return " + ".join(" × ".join(map(str, shape)) for shape in part.shapes)
