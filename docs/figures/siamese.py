"""Sentence-BERT: one encoder used for both texts, what the classifier of the pair sees, and what comes back from it.

The encoder is a BERT with H = 4 and random weights, so that every number can be written down.
"""

import numpy as np

from minitransformer import BertConfig, BertTokenizer, SentenceEncoder
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.ops.softmax import softmax_forward
from minitransformer.pictures.colours import KINDS, signed_colour
from minitransformer.pictures.diagram import STEP, Frame, arrow, framed
from minitransformer.pictures.drawing import Drawing, beside, moved, svg, titled, under
from minitransformer.pictures.elements import element
from minitransformer.pictures.heat_map import heat_map

TEXTS = ["my dog is cute", "my dog likes me"]
LABELS, LABEL = ["contradiction", "entailment", "neutral"], 2
CELL, HALF = (46, 24), 340  # a number, and a half of the drawing


def small_encoder():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = BertTokenizer.from_vocabulary([*special, "my", "dog", "is", "cute", "likes", "me"])
    config = BertConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=4,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=8,
        initializer_range=0.5,
    )
    return SentenceEncoder(config, tokenizer, seed=0, dtype=np.float64)


def data():
    encoder = small_encoder()
    objective = ClassificationObjective(embedding_size=4, num_labels=3).initialise(seed=0, dtype=np.float64)
    objective.classifier.weight.value[...] = np.random.default_rng(0).normal(size=(12, 3)) / 2
    (u, first), (v, second) = (encoder.forward(encoder.tokenize([text])) for text in TEXTS)
    loss, cache = objective.forward((u, v), np.array([LABEL]))
    du, dv = objective.backward(cache)
    through = []
    for d_embedding, of_text in ((du, first), (dv, second)):
        encoder.zero_grad()
        encoder.backward(d_embedding, of_text)
        through.append(encoder.encoder.layers[0].feed_forward.outer.bias.grad.copy())
    encoder.zero_grad()
    encoder.backward(du, first)
    encoder.backward(dv, second)
    return {
        "parameters": encoder.num_parameters,
        "u": u.tolist(),
        "v": v.tolist(),
        "du": du.tolist(),
        "dv": dv.tolist(),
        "probabilities": softmax_forward(objective((u, v)))[0].tolist(),
        "loss": float(loss),
        "cosine": float((u @ v.T).item() / np.linalg.norm(u) / np.linalg.norm(v)),
        "through": [part.tolist() for part in through],
        "gradient": encoder.encoder.layers[0].feed_forward.outer.bias.grad.tolist(),
    }


def draw(data):
    texts = [Frame(left + 60, 0, HALF - 120, 32) for left in (0, HALF)]
    encoder = Frame(0, texts[0].height + STEP, 2 * HALF, 51)
    u, v = embeddings(data)
    losses = Frame(0, encoder.bottom[1] + u.height + 2 * STEP, 2 * HALF, 51)
    added = sums(data)
    cosine = Frame(0, losses.bottom[1] + added.height + 2 * STEP, 2 * HALF, 32)
    inside = (
        f"one encoder, used for both: {data['parameters']:,} parameters",
        "2 layers, then the mean of a text's rows",
    )
    trained = f"in training: softmax((u, v, |u-v|) W + b), loss {data['loss']:.2f}", probabilities(data)
    parts = [
        *(framed([text], frame) for text, frame in zip(TEXTS, texts, strict=True)),
        framed(inside, encoder),
        *(arrow([text.bottom, (text.bottom[0], encoder.y)]) for text in texts),
        *way(u, 0, encoder, losses),
        *way(v, HALF, encoder, losses),
        framed(trained, losses),
        moved(added, 0, losses.bottom[1] + STEP),
        framed([f"afterwards: cosine of u and v, {data['cosine']:.2f}"], cosine, KINDS[2]),
    ]
    return svg(
        Drawing(element("g", *parts), 2 * HALF, cosine.bottom[1]),
        "Sentence-BERT's siamese network",
        "Both texts go through the same encoder. In training a classifier sees u, v and |u-v|; its loss sends a "
        "gradient to u and one to v, and what each of them gives a weight of the encoder is added. Afterwards the "
        f"embeddings are compared by their cosine, here {data['cosine']:.2f}.",
        data,
    )


def probabilities(data):
    classes = [f"{label} {p:.2f}" for label, p in zip(LABELS, data["probabilities"][0], strict=True)]
    classes[LABEL] += " (right)"
    return ", ".join(classes)


def embeddings(data):
    """u and v, each with its gradient under it."""
    largest, largest_gradient = (
        max(np.abs(data[name]).max() for name in names) for names in (("u", "v"), ("du", "dv"))
    )
    return [
        under(
            [strip(name, data[name], largest), strip(f"gradient of {name}", data[f"d{name}"], largest_gradient)], gap=8
        )
        for name in "uv"
    ]


def way(embedding, left, encoder, losses):
    """From the encoder down to the loss, and the gradient's way back up."""
    top, down, up = encoder.bottom[1], left + 40, left + HALF - 50
    yield arrow([(down, top), (down, losses.y)])
    yield arrow([(up, losses.y), (up, top)], KINDS[5])
    yield moved(embedding, left + 60, top + STEP)


def sums(data):
    """What a weight gets through u and through v, and both together."""
    parts = [*data["through"], data["gradient"]]
    names = "gradient of a bias, through u", "+ through v", "= its gradient"
    return beside([strip(name, values, np.abs(parts).max()) for name, values in zip(names, parts, strict=True)])


def strip(title, values, largest):
    row = np.reshape(values, (1, -1))
    return titled(title, heat_map(row, [""], [], lambda x: signed_colour(x / largest), "{:z.2f}".format, CELL))
