"""A picture of an architecture: its blocks from the input down to the output, each part with its shapes and size."""

from collections.abc import Sequence

from minitransformer.inference.architecture import Block, Part
from minitransformer.pictures.diagram import EDGE, LINE, Frame, arrow, outline
from minitransformer.pictures.drawing import GAP, Drawing, under, width_of, words
from minitransformer.pictures.elements import Element, element
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table


def architecture_picture(name: str, blocks: Sequence[Block]) -> Picture:
    """The blocks of the model with that name."""
    total = sum(block.parameters for block in blocks)
    largest = max(blocks, key=lambda block: block.parameters)
    share = largest.parameters / total
    where = _words(largest) if largest.times == 1 else f"{largest.times} {_layers(largest.name)}"
    rows = [
        [_words(block), _words(part), _shapes(part), f"{part.parameters:,}", f"{block.times * part.parameters:,}"]
        for block in blocks
        for part in block.parts
    ]
    return Picture(
        title=f"The architecture of {name}",
        finding=f"{total:,} parameters, {share:.0%} of them in the {where}.",
        data={
            "parameters": total,
            "blocks": [{**block._asdict(), "parameters": block.parameters} for block in blocks],
        },
        tables=(Table("Parameters of each part", ["block", "part", "shapes", "of one", "of all"], rows),),
        drawing=architecture_drawing(blocks),
    )


def architecture_drawing(blocks: Sequence[Block]) -> Drawing:
    """A frame for each block, the first one on top, and an arrow from each to the next."""
    frames = [_block(block) for block in blocks]
    drawing, y, arrows = under(frames), 0.0, []
    for frame in frames[:-1]:
        y += frame.height + GAP
        arrows.append(arrow([(GAP, y - GAP + 3), (GAP, y - 3)]))
    return drawing._replace(element=element("g", drawing.element, *arrows))


def _block(block: Block) -> Drawing:
    """A frame with a line for each part."""
    names, shapes = [_words(part) for part in block.parts], [_shapes(part) for part in block.parts]
    counts = [f"{part.parameters:,}" for part in block.parts]
    columns = [max(map(width_of, column)) for column in (names, shapes, counts)]
    title = f"{_words(block)}: {block.parameters:,}"
    width = max(sum(columns) + 4 * EDGE, width_of(title) + 2 * EDGE)
    height = (len(block.parts) + 1) * LINE + EDGE
    frame = Frame(0, 0, width, height)
    parts: list[Element] = [outline(frame), words(title, EDGE, LINE, font_weight="bold")]
    for line, cells in enumerate(zip(names, shapes, counts, strict=True), start=2):
        parts.append(words(cells[0], EDGE, line * LINE))
        parts.append(words(cells[1], EDGE * 2 + columns[0], line * LINE))
        parts.append(words(cells[2], width - EDGE, line * LINE, text_anchor="end"))
    return Drawing(element("g", *parts), width, height)


def _layers(name: str) -> str:
    """What the equal layers of a block are called: the encoder's and the decoder's blocks have its name."""
    return name.replace(".", " ") if name.endswith("layers") else f"layers of the {name}"


def _words(named: Block | Part) -> str:
    name = named.name.replace("_", " ").replace(".", " ")
    return f"{name} × {named.times}" if isinstance(named, Block) and named.times > 1 else name


def _shapes(part: Part) -> str:
    return " + ".join(" × ".join(map(str, shape)) for shape in part.shapes)
