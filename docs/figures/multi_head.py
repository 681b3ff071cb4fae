"""The lecture's five steps of multi-head attention with all numbers, and under each its gradient.

Here H = 8 and there are two heads of four columns; in the lecture H = 512, with eight heads of 64. Rows of words and dy
are drawn at random.
"""

import numpy as np

from minitransformer.nn.attention import SelfAttention
from minitransformer.ops.attention import attention_and_scores_backward, attention_forward
from minitransformer.pictures.colours import share_colour, signed_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map

TOKENS = ["my", "dog", "is", "cute"]
H, HEADS = 8, [slice(0, 4), slice(4, 8)]
CELL = (28, 20)
ROWS = {  # the steps, and what is drawn in each
    "1, 2: each word is a row of x": [["x"]],
    "3: q = x W^Q, k = x W^K, v = x W^V, each cut into two heads": [["q 0", "q 1"], ["k 0", "k 1"], ["v 0", "v 1"]],
    "4: each head by itself: weights = softmax(q k^T / 2), z = weights v": [["weights 0", "weights 1"], ["z 0", "z 1"]],
    "5: the heads side by side, y = z W^O": [["z"], ["y"]],
}


def make_attention():
    attention = SelfAttention(H, len(HEADS), attention_dropout=0.0, hidden_dropout=0.0, init_std=0.5)
    return attention.initialise(seed=0, dtype=np.float64)


def data():
    x, dy = np.random.default_rng(0).normal(size=(2, len(TOKENS), H))
    attention = make_attention()
    projections = {"q": attention.query, "k": attention.key, "v": attention.value}
    rows, caches = zip(*(projection.forward(x) for projection in projections.values()), strict=True)
    z, caches_of_heads = zip(*(attention_forward(*(of[:, head] for of in rows)) for head in HEADS), strict=True)
    y, output_cache = attention.output.forward(np.hstack(z))
    steps = {"x": x, "z": np.hstack(z), "y": y}

    dz = attention.output.backward(dy, output_cache)
    gradients = {"z": dz, "y": dy}
    d_rows = [np.empty_like(x) for _ in projections]
    for number, (head, cache) in enumerate(zip(HEADS, caches_of_heads, strict=True)):
        *d_parts, _ = attention_and_scores_backward(dz[:, head], cache)
        steps |= {f"weights {number}": cache.weights, f"z {number}": z[number]}
        gradients |= {f"weights {number}": dz[:, head] @ cache.v.T, f"z {number}": dz[:, head]}
        for name, d_row, d_part, row in zip(projections, d_rows, d_parts, rows, strict=True):
            d_row[:, head] = d_part
            steps[f"{name} {number}"], gradients[f"{name} {number}"] = row[:, head], d_part
    parts = zip(projections.values(), d_rows, caches, strict=True)
    gradients["x"] = sum(projection.backward(d_row, cache) for projection, d_row, cache in parts)
    return {name: {"value": value.tolist(), "gradient": gradients[name].tolist()} for name, value in steps.items()}


def draw(data):
    rows = [titled(title, beside([step(data, names) for names in groups])) for title, groups in ROWS.items()]
    shares = data["weights 0"]["value"][3]
    return svg(
        under(rows),
        "Multi-head attention, forwards and backwards",
        "Four words become rows of eight numbers, and these queries, keys and values of two heads; each head has its "
        "own weights and outputs, which side by side and mixed are y. Under each matrix is its gradient. In head 0 "
        f"“{TOKENS[3]}” gives {', '.join(f'{100 * share:.0f} %' for share in shares)} to the four words.",
        data,
    )


def step(data, names):
    """Matrices of one kind side by side, and under them their gradients."""
    values = beside([matrix(name, data[name]["value"], number) for number, name in enumerate(names)], gap=6)
    gradients = [matrix(f"d {name}", data[name]["gradient"], number) for number, name in enumerate(names)]
    return under([values, beside(gradients, gap=6)], gap=8)


def matrix(name, values, number):
    """Only the first of several has the words' names."""
    values, names = np.array(values), [""] * len(TOKENS) if number else TOKENS
    largest = np.abs(values).max()
    colour = share_colour if name.startswith("weights") else lambda x: signed_colour(x / largest)
    return titled(name, heat_map(values, names, [], colour, "{:z.1f}".format, CELL))
