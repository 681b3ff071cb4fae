"""One layer step by step, forwards, and backwards with each gradient beside the value that it is the gradient of.

The steps are those of nn/encoder_layer.py and nn/pre_norm_layer.py, which keep in their caches only what their backward
needs; here all of them are kept.
"""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.models.gpt import Gpt
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.pre_norm_layer import PreNormLayer
from minitransformer.objectives.row_prediction import row_prediction_backward
from minitransformer.ops.cosine_similarity import cosine_similarity_backward, cosine_similarity_forward
from minitransformer.ops.multi_head_attention import (
    MultiHeadAttentionCache,
    multi_head_attention_backward,
    multi_head_attention_forward,
)
from minitransformer.text.packed_tokens import PackedTokens


class LayerStep(NamedTuple):
    name: str
    value: np.ndarray
    gradient: np.ndarray | None  # of the same shape; None without a gradient of y


class _Attended(NamedTuple):
    """Attention's steps, and what their backward needs."""

    values: dict[str, np.ndarray]
    projections: tuple[Any, Any, Any]
    heads: MultiHeadAttentionCache
    output: Any


def layer_steps(layer: EncoderLayer | PreNormLayer, x: np.ndarray, dy: np.ndarray | None = None) -> list[LayerStep]:
    """The steps from x (T, H) of one sequence to y (T, H), without dropout; with the gradient dy of y, all gradients.

    The gradients of the layer's parameters are added to, as in any backward.
    """
    if isinstance(layer, EncoderLayer):
        values, gradients = _encoder_steps(layer, x, dy)
    else:
        values, gradients = _pre_norm_steps(layer, x, dy)
    return [LayerStep(name, value, gradients.get(name)) for name, value in values.items()]


def loss_gradient(model: Gpt, tokens: PackedTokens, number: int) -> np.ndarray:
    """dy (N, H) of layer `number`: the gradient of the model's loss on these tokens, without dropout."""
    _, cache = model.forward(tokens)
    d_hidden = row_prediction_backward(model.head, cache.prediction)
    dy = model.norm.backward(d_hidden, cache.hidden.norm)
    for i in range(len(model.layers) - 1, number, -1):
        dy = model.layers[i].backward(dy, cache.hidden.layers[i])
    return dy


def cosine_gradient(encoder: SentenceEncoder, tokens: PackedTokens, other: PackedTokens, number: int) -> np.ndarray:
    """dy (N, H) of layer `number`: the gradient of the cosine of two texts' embeddings, on the first one's way."""
    u, cache = encoder.forward(tokens)
    _, cosine_cache = cosine_similarity_forward(u, encoder(other))
    du, _ = cosine_similarity_backward(np.ones(1, u.dtype), cosine_cache)
    d_pooled = encoder.head.backward(du, cache.head)
    dy = encoder.pooling.backward(d_pooled, cache.pooling)
    layers = encoder.encoder.layers
    for i in range(len(layers) - 1, number, -1):
        dy = layers[i].backward(dy, cache.hidden.layers[i])
    return dy


def _encoder_steps(
    layer: EncoderLayer, x: np.ndarray, dy: np.ndarray | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    attention = _attend(layer.attention, x)
    attended = attention.values["attended"]
    x1, norm_cache = layer.attention_norm.forward(x + attended)
    wide, transformed, feed_forward_caches = _feed_forward(layer.feed_forward, x1)
    y, output_norm_cache = layer.output_norm.forward(x1 + transformed)
    values = {"x": x, **attention.values, "x + attended": x + attended, "x1": x1, "wide": wide}
    values |= {"transformed": transformed, "x1 + transformed": x1 + transformed, "y": y}
    if dy is None:
        return values, {}
    d_sum2 = layer.output_norm.backward(dy, output_norm_cache)
    d_wide, d_inside = _feed_forward_backward(layer.feed_forward, d_sum2, feed_forward_caches)
    dx1 = d_sum2 + d_inside
    d_sum1 = layer.attention_norm.backward(dx1, norm_cache)
    of_attention, dx = _attend_backward(layer.attention, d_sum1, attention)
    gradients = {"y": dy, "x1 + transformed": d_sum2, "transformed": d_sum2, "wide": d_wide, "x1": dx1}
    return values, {**gradients, "x + attended": d_sum1, **of_attention, "x": d_sum1 + dx}


def _pre_norm_steps(
    layer: PreNormLayer, x: np.ndarray, dy: np.ndarray | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    normalised, norm_cache = layer.attention_norm.forward(x)
    attention = _attend(layer.attention, normalised)
    x1 = x + attention.values["attended"]
    normalised1, norm1_cache = layer.feed_forward_norm.forward(x1)
    wide, transformed, feed_forward_caches = _feed_forward(layer.feed_forward, normalised1)
    values = {"x": x, "norm(x)": normalised, **attention.values, "x1 = x + attended": x1, "norm(x1)": normalised1}
    values |= {"wide": wide, "transformed": transformed, "y = x1 + transformed": x1 + transformed}
    if dy is None:
        return values, {}
    d_wide, d_normalised1 = _feed_forward_backward(layer.feed_forward, dy, feed_forward_caches)
    dx1 = dy + layer.feed_forward_norm.backward(d_normalised1, norm1_cache)
    of_attention, d_normalised = _attend_backward(layer.attention, dx1, attention)
    gradients = {"y = x1 + transformed": dy, "transformed": dy, "wide": d_wide, "norm(x1)": d_normalised1}
    gradients |= {"x1 = x + attended": dx1, **of_attention, "norm(x)": d_normalised}
    return values, {**gradients, "x": dx1 + layer.attention_norm.backward(d_normalised, norm_cache)}


def _attend(attention: SelfAttention, x: np.ndarray) -> _Attended:
    lengths = np.array([len(x)])
    (q, q_cache), (k, k_cache), (v, v_cache) = (
        projection.forward(x) for projection in (attention.query, attention.key, attention.value)
    )
    heads, heads_cache = multi_head_attention_forward(
        q, k, v, lengths, lengths, attention.num_heads, causal=attention.causal
    )
    attended, output_cache = attention.output.forward(heads)
    values = {"q": q, "k": k, "v": v, "heads": heads, "attended": attended}
    return _Attended(values, (q_cache, k_cache, v_cache), heads_cache, output_cache)


def _attend_backward(
    attention: SelfAttention, d_attended: np.ndarray, attended: _Attended
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The gradients of the steps, and that of what went into all three projections."""
    d_heads = attention.output.backward(d_attended, attended.output)
    dq, dk, dv = multi_head_attention_backward(d_heads, attended.heads)
    projections = attention.query, attention.key, attention.value
    dx = sum(
        projection.backward(d, cache)
        for projection, d, cache in zip(projections, (dq, dk, dv), attended.projections, strict=True)
    )
    return {"q": dq, "k": dk, "v": dv, "heads": d_heads, "attended": d_attended}, np.asarray(dx)


def _feed_forward(feed_forward: FeedForward, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[Any, Any]]:
    wide, inner_cache = feed_forward.inner.forward(x)
    transformed, outer_cache = feed_forward.outer.forward(wide)
    return wide, transformed, (inner_cache, outer_cache)


def _feed_forward_backward(
    feed_forward: FeedForward, d_transformed: np.ndarray, caches: tuple[Any, Any]
) -> tuple[np.ndarray, np.ndarray]:
    d_wide = feed_forward.outer.backward(d_transformed, caches[1])
    return d_wide, feed_forward.inner.backward(d_wide, caches[0])
