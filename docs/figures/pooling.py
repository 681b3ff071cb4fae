"""ICE #2: twenty rows of 768 numbers, what each pooling makes of them, and how many numbers a head then sees."""

import numpy as np

from minitransformer.nn.pooling import Pooling
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map

T, H = 20, 768
SHOWN, CELL = 24, (10, 12)
POOLINGS = ("cls", "mean", "max")


def data():
    hidden = np.random.default_rng(0).normal(size=(T, H))
    pooled = {name: Pooling((name,))(hidden, np.array([T]))[0] for name in POOLINGS}
    return {
        "hidden": hidden[:, :SHOWN].tolist(),
        "pooled": {name: row[:SHOWN].tolist() for name, row in pooled.items()},
        "numbers": {"all rows": hidden.size, **{name: row.size for name, row in pooled.items()}},
    }


def draw(data):
    def block(title, rows, names):
        return titled(title, heat_map(np.array(rows), names, [], lambda x: signed_colour(x / 3), None, CELL))

    numbers = data["numbers"]
    rows = [block(f"{name}: {numbers[name]:,}", [row], [""]) for name, row in data["pooled"].items()]
    names = ["[CLS]", *(f"row {i}" for i in range(1, T))]
    return svg(
        beside([block(f"all rows: {numbers['all rows']:,}", data["hidden"], names), under(rows)]),
        "ICE #2: how many numbers a head sees",
        f"The {T} rows of the last layer are {numbers['all rows']:,} numbers; cls, mean and max are {numbers['mean']} "
        f"each. (The first {SHOWN} columns are drawn.)",
        data,
    )
