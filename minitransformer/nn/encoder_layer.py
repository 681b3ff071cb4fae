"""One layer of the encoder: the tokens look at each other, then each thinks for itself."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.attention import AttentionLayerCache, SelfAttention
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

    LayerNorm comes after each sum, as in the original Transformer and in BERT ("post-LN", Vaswani et al. 2017, 3.1).
    """

    def __init__(self, attention: SelfAttention, feed_forward: FeedForward, size: int, eps: float) -> None:
        self.attention = attention
        self.attention_norm = LayerNorm(size, eps)
        self.feed_forward = feed_forward
        self.output_norm = LayerNorm(size, eps)

    def __call__(self, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        x = self.attention_norm(x + self.attention(x, lengths))
        return self.output_norm(x + self.feed_forward(x))

    def attention_weights(self, x: np.ndarray) -> np.ndarray:
        """(A, T, T): how each head divides each row's attention, for x (T, H) of one sequence."""
        return self.attention.weights(x, x)

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, EncoderLayerCache]:
        """y (N, H) of x (N, H) whose sequences have `lengths` (S,); dropout happens only with an rng."""
        attended, attention_cache = self.attention.forward(x, lengths, rng)
        x, attention_norm_cache = self.attention_norm.forward(x + attended)
        transformed, feed_forward_cache = self.feed_forward.forward(x, rng)
        y, output_norm_cache = self.output_norm.forward(x + transformed)
        return y, EncoderLayerCache(attention_cache, attention_norm_cache, feed_forward_cache, output_norm_cache)

    def backward(self, dy: np.ndarray, cache: EncoderLayerCache) -> np.ndarray:
        d_sum = self.output_norm.backward(dy, cache.output_norm)
        dx = d_sum + self.feed_forward.backward(d_sum, cache.feed_forward)  # each summand gets the sum's gradient
        d_sum = self.attention_norm.backward(dx, cache.attention_norm)
        return d_sum + self.attention.backward(d_sum, cache.attention)
