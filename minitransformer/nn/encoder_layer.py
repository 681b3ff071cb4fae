"""One layer of the encoder: the tokens look at each other, then each thinks for itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.nn.attention import AttentionLayerCache, MultiHeadSelfAttention
from minitransformer.nn.feed_forward import FeedForward, FeedForwardCache
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.ops.layer_norm import LayerNormCache


class EncoderLayerCache(NamedTuple):
    attention: AttentionLayerCache
    attention_norm: LayerNormCache
    feed_forward: FeedForwardCache
    output_norm: LayerNormCache


class EncoderLayer(Module):
    """x = norm(x + attention(x)), then y = norm(x + feed_forward(x)), on packed rows (N, H).

    LayerNorm stands after each sum, as in the original Transformer and in BERT ("post-LN", Vaswani et al. 2017, 3.1).
    """

    def __init__(self, attention: MultiHeadSelfAttention, feed_forward: FeedForward, size: int, eps: float) -> None:
        self.attention = attention
        self.attention_norm = LayerNorm(size, eps)
        self.feed_forward = feed_forward
        self.output_norm = LayerNorm(size, eps)

    def __call__(self, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        attended = self.attention(x, lengths)
        attended += x
        x = self.attention_norm(attended)
        transformed = self.feed_forward(x)
        transformed += x
        return self.output_norm(transformed)

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, EncoderLayerCache]:
        """y (N, H) of x (N, H) whose sentences have `lengths` (S,); dropout happens only with an rng."""
        attended, attention = self.attention.forward(x, lengths, rng)
        attended += x  # each += is a sum of the docstring, in the place of its second term
        x, attention_norm = self.attention_norm.forward(attended)
        transformed, feed_forward = self.feed_forward.forward(x, rng)
        transformed += x
        y, output_norm = self.output_norm.forward(transformed)
        return y, EncoderLayerCache(attention, attention_norm, feed_forward, output_norm)

    def backward(self, dy: np.ndarray, cache: EncoderLayerCache) -> np.ndarray:
        d_sum = self.output_norm.backward(dy, cache.output_norm)
        dx = self.feed_forward.backward(d_sum, cache.feed_forward)
        dx += d_sum  # each summand of a sum gets the sum's gradient
        d_sum = self.attention_norm.backward(dx, cache.attention_norm)
        dx = self.attention.backward(d_sum, cache.attention)
        dx += d_sum
        return dx
