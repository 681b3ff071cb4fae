"""An encoder and a decoder, the base model of Vaswani et al. 2017: what goes where, and how many parameters it has."""

from minitransformer import Seq2Seq, Seq2SeqConfig
from minitransformer.inference.architecture import architecture
from minitransformer.pictures.colours import GREY, KINDS
from minitransformer.pictures.diagram import EDGE, LINE, STEP, Frame, arrow, chain, outline
from minitransformer.pictures.drawing import GAP, Drawing, svg, words
from minitransformer.pictures.elements import element

WIDTH = 320  # of a column
STEPS = {  # the parts of a layer, and how they are named here
    "attention": "self-attention",
    "attention_norm": "+ x, norm",
    "self_attention": "self-attention, causal",
    "self_attention_norm": "+ x, norm",
    "cross_attention": "cross-attention",
    "cross_attention_norm": "+ x, norm",
    "feed_forward": "feed-forward",
    "output_norm": "+ x, norm",
}


def data():
    config = Seq2SeqConfig()
    table, encoder, decoder, head = architecture(Seq2Seq(config, seed=None))
    return {
        "hidden_size": config.hidden_size,
        "vocab_size": config.vocab_size,
        "table": table.parameters,
        "encoder": {"times": encoder.times, "steps": steps(encoder)},
        "decoder": {"times": decoder.times, "steps": steps(decoder)},
        "bias": head.parameters,
    }


def steps(block):
    """The parameters of each step of a layer, in the order of the steps."""
    sizes = {}
    for part in block.parts:
        step = part.name.partition(".")[0]
        sizes[step] = sizes.get(step, 0) + part.parameters
    return [[step, size] for step, size in sizes.items()]


def draw(data):
    size, words_out = data["hidden_size"], data["vocab_size"]
    layers, _, encoder_parts = column("source", "encoder", "M", data, x=0)
    rows, row_parts = chain([[f"source rows: (M, {size})"]], 0, layers.bottom[1] + STEP, WIDTH)
    x = WIDTH + 3 * GAP
    decoder, inside, decoder_parts = column("target so far", "decoder", "N", data, x)
    ends = [f"times the table again + bias: {data['bias']:,}"], [f"scores of the next token: (N, {words_out:,})"]
    head, head_parts = chain(ends, x, decoder.bottom[1] + STEP, WIDTH)
    cross = inside[[name for name, _ in data["decoder"]["steps"]].index("cross_attention")]
    turn = WIDTH + GAP, rows[0].right[1]
    parts = [
        *encoder_parts,
        *row_parts,
        *decoder_parts,
        *head_parts,
        arrow([layers.bottom, rows[0].top]),
        arrow([decoder.bottom, head[0].top]),
        arrow([rows[0].right, turn, (turn[0], cross.left[1]), cross.left], KINDS[5]),
        words("K, V", turn[0] + 5, cross.left[1] - 6),
    ]
    bottom = max(rows[0].bottom[1], head[1].bottom[1])
    return svg(
        Drawing(element("g", *parts), x + WIDTH, bottom),
        "An encoder and a decoder",
        f"The encoder's {data['encoder']['times']} layers turn the source into rows. Each of the decoder's layers "
        "looks at them in its cross-attention, between a causal self-attention and a feed-forward network. One table "
        f"of {data['table']:,} numbers is the input of both, and gives the scores.",
        data,
    )


def column(given, name, letter, data, x):
    """What goes in, its rows, and the layers: the frame of the layers, those of their steps, and all elements."""
    size, times, steps = data["hidden_size"], data[name]["times"], data[name]["steps"]
    rows = f"rows of the table + positions: ({letter}, {size})", f"the table: {data['table']:,}"
    frames, start_parts = chain([[f"{given}: {letter} ids"], rows], x, 0, WIDTH)
    y = frames[-1].bottom[1] + STEP
    texts = [[f"{STEPS[step]}: {number:,}"] for step, number in steps]
    inside, parts = chain(texts, x + EDGE, y + LINE + EDGE, WIDTH - 2 * EDGE)
    layers = Frame(x, y, WIDTH, inside[-1].bottom[1] + EDGE - y)
    total = times * sum(number for _, number in steps)
    title = words(f"{name} layer × {times}: {total:,}", x + EDGE, y + LINE, font_weight="bold")
    into = arrow([frames[-1].bottom, layers.top])
    return layers, inside, [*start_parts, into, outline(layers, GREY), title, *parts]
