"""What BERT-base is built of: the shapes and sizes of docs/encoder-layer.md, drawn from its config."""

from minitransformer import Bert, BertConfig
from minitransformer.inference.architecture import Block, Part, architecture
from minitransformer.pictures.architecture import architecture_drawing
from minitransformer.pictures.drawing import svg


def data():
    blocks = architecture(Bert(BertConfig(), seed=None))
    return [
        [block.name, [[name, [*map(list, shapes)], size] for name, shapes, size in block.parts], block.times]
        for block in blocks
    ]


def draw(data):
    blocks = [
        Block(name, [Part(part, [*map(tuple, shapes)], size) for part, shapes, size in parts], times)
        for name, parts, times in data
    ]
    total = sum(block.parameters for block in blocks)
    embeddings, layers = (block.parameters for block in blocks[:2])
    return svg(
        architecture_drawing(blocks),
        "BERT-base",
        f"Of {total:,} parameters {embeddings / total:.0%} are in the embeddings and {layers / total:.0%} in the "
        f"{blocks[1].times} equal layers.",
        data,
    )
