"""One encoder layer forwards, with its backward under it: each gradient stands where its value stood.

The layer is that of docs/encoder-layer.md, on its first sequence; dy is drawn at random.
"""

import numpy as np

from minitransformer.inference.layer_steps import layer_steps
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map

IN_A_ROW = 3  # matrices


def make_layer():
    attention = SelfAttention(6, num_heads=2, attention_dropout=0.0, hidden_dropout=0.0, init_std=0.5)
    feed_forward = FeedForward(6, 10, "gelu", dropout=0.0, init_std=0.5)
    return EncoderLayer(attention, feed_forward, size=6, eps=1e-12).initialise(seed=0, dtype=np.float64)


def data():
    x = np.random.default_rng(0).normal(size=(5, 6))[:3]
    dy = np.random.default_rng(1).normal(size=(3, 6))
    steps = layer_steps(make_layer(), x, dy)
    return {step.name: {"value": step.value.tolist(), "gradient": step.gradient.tolist()} for step in steps}


def draw(data):
    def matrix(name, key, title):
        values = np.array(data[name][key])
        largest = np.abs(values).max()
        colours = heat_map(values, [""] * 3, [], lambda x: signed_colour(x / largest), "{:z.1f}".format, (30, 22))
        return titled(title, colours)

    def step(name):
        return under([matrix(name, "value", name), matrix(name, "gradient", "its gradient")], gap=12)

    names = [*data]
    rows = [names[start : start + IN_A_ROW] for start in range(0, len(names), IN_A_ROW)]
    return svg(
        under([beside([step(name) for name in row]) for row in rows]),
        "An encoder layer, forwards and backwards",
        "Three tokens go through attention, a sum with a norm, the feed-forward network, and again a sum with a norm. "
        "Under each matrix is its gradient, of the same shape; both summands of a sum have the sum's gradient.",
        data,
    )
