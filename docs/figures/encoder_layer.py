"""One encoder layer forwards, with its backward under it: each gradient stands where its value stood.

The layer is that of docs/encoder-layer.md, on its first sequence; dy is drawn at random.
"""

import numpy as np

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.ops.multi_head_attention import multi_head_attention_backward, multi_head_attention_forward
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map

ROWS = (
    ("x", "q", "k", "v"),
    ("heads", "attended", "x + attended", "x1"),
    ("g", "transformed", "x1 + transformed", "y"),
)


def make_layer():
    attention = SelfAttention(6, num_heads=2, attention_dropout=0.0, hidden_dropout=0.0, init_std=0.5)
    feed_forward = FeedForward(6, 10, "gelu", dropout=0.0, init_std=0.5)
    return EncoderLayer(attention, feed_forward, size=6, eps=1e-12).initialise(seed=0, dtype=np.float64)


def data():
    layer, lengths = make_layer(), np.array([3])
    x = np.random.default_rng(0).normal(size=(5, 6))[:3]
    attention, feed_forward = layer.attention, layer.feed_forward

    q, q_cache = attention.query.forward(x)
    k, k_cache = attention.key.forward(x)
    v, v_cache = attention.value.forward(x)
    heads, heads_cache = multi_head_attention_forward(q, k, v, lengths, lengths, num_heads=2)
    attended, output_cache = attention.output.forward(heads)
    x1, norm_cache = layer.attention_norm.forward(x + attended)
    g, inner_cache = feed_forward.inner.forward(x1)
    transformed, outer_cache = feed_forward.outer.forward(g)
    y, output_norm_cache = layer.output_norm.forward(x1 + transformed)

    dy = np.random.default_rng(1).normal(size=y.shape)
    d_sum2 = layer.output_norm.backward(dy, output_norm_cache)
    dg = feed_forward.outer.backward(d_sum2, outer_cache)
    dx1 = d_sum2 + feed_forward.inner.backward(dg, inner_cache)
    d_sum1 = layer.attention_norm.backward(dx1, norm_cache)
    d_heads = attention.output.backward(d_sum1, output_cache)
    dq, dk, dv = multi_head_attention_backward(d_heads, heads_cache)
    through_attention = [
        projection.backward(d, cache)
        for projection, d, cache in (
            (attention.query, dq, q_cache),
            (attention.key, dk, k_cache),
            (attention.value, dv, v_cache),
        )
    ]
    dx = d_sum1 + sum(through_attention)

    values = x, q, k, v, heads, attended, x + attended, x1, g, transformed, x1 + transformed, y
    gradients = dx, dq, dk, dv, d_heads, d_sum1, d_sum1, dx1, dg, d_sum2, d_sum2, dy
    names = [name for row in ROWS for name in row]
    return {
        name: {"value": value.tolist(), "gradient": gradient.tolist()}
        for name, value, gradient in zip(names, values, gradients, strict=True)
    }


def draw(data):
    def matrix(name, key, title):
        values = np.array(data[name][key])
        largest = np.abs(values).max()
        colours = heat_map(values, [""] * 3, [], lambda x: signed_colour(x / largest), "{:.1f}".format, (30, 22))
        return titled(title, colours)

    rows = [
        [
            beside([matrix(name, "value", name) for name in names]),
            beside([matrix(name, "gradient", f"gradient of {name}") for name in names]),
        ]
        for names in ROWS
    ]
    return svg(
        under([part for pair in rows for part in pair]),
        "An encoder layer, forwards and backwards",
        "Three tokens go through attention, a sum with a norm, the feed-forward network, and again a sum with a norm. "
        "Under each matrix is its gradient, of the same shape; both summands of a sum have the sum's gradient.",
        data,
    )
