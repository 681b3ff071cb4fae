"""ICE #0 from x to y: which token does token 2 attend to? The numbers are worked out in docs/attention.md."""

import math

import numpy as np

from minitransformer.ops.attention import attention_forward
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map

X = np.array([[1, 2, 3, -1], [3, -4, -7, 5]], float)
W_Q = np.array([[-1, 2, 0], [2, 3, -5], [1, 0, 0], [-3, 1, 2]], float)
W_K = np.array([[1, 2, 3], [2, 4, 3], [3, 0, 3], [-1, 5, 2]], float)
W_V = np.array([[-1, -2, 3], [2, -4, 0], [0, 0, 1], [1, 0, -7]], float)
TOKENS, CELL = ["token 1", "token 2"], (52, 30)


def data():
    q, k, v = X @ W_Q, X @ W_K, X @ W_V
    y, cache = attention_forward(q, k, v, scale=1.0)
    log_weights = np.log10(cache.weights)
    return {name: array.tolist() for name, array in zip("xqkvy", (X, q, k, v, y), strict=True)} | {
        "scores": (q @ k.T).tolist(),
        "log10 of the weights": log_weights.tolist(),
    }


def draw(data):
    def of(name, text="{:.0f}".format, columns=()):
        values = np.array(data[name])
        largest = np.abs(values).max()
        return titled(
            name.removeprefix("log10 of the "),
            heat_map(values, TOKENS, columns, lambda x: signed_colour(x / largest), text, CELL),
        )

    weights = of("log10 of the weights", lambda x: f"{10**x:.0e}" if x < -3 else f"{10**x:.3f}", TOKENS)
    rows = [
        beside([of("x")]),
        beside([of("q"), of("k"), of("v")]),
        beside([of("scores", columns=TOKENS), weights, of("y")]),
    ]
    (to_1, to_2), power = data["scores"][1], math.floor(data["log10 of the weights"][1][0])
    return svg(
        under(rows),
        "ICE #0: attention step by step",
        f"Token 2's score is {to_1:.0f} for token 1 and {to_2:.0f} for itself, so it attends to itself: of its weight, "
        f"about 10 to the power of {power} goes to token 1.",
        data,
    )
