"""One layer of GPT-2: what a sub-layer finds is added to x, which nothing but sums touches from bottom to top."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.attention import AttentionLayerCache, SelfAttention
from minitransformer.nn.feed_forward import FeedForward, FeedForwardCache
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.ops.layer_norm import LayerNormCache


class PreNormLayerCache(NamedTuple):
    attention_norm: LayerNormCache
    attention: AttentionLayerCache
    feed_forward_norm: LayerNormCache
    feed_forward: FeedForwardCache


class PreNormLayer(Module):
    """x = x + attention(norm(x)), then y = x + feed_forward(norm(x)), on packed rows (N, H).

    LayerNorm comes before each sub-layer, not after the sum ("pre-LN", Radford et al. 2019, section 2.3), so a gradient
    reaches every layer through the sums unchanged. What comes out of the last layer needs a norm of its own.
    """

    def __init__(self, attention: SelfAttention, feed_forward: FeedForward, size: int, eps: float) -> None:
        self.attention_norm = LayerNorm(size, eps)
        self.attention = attention
        self.feed_forward_norm = LayerNorm(size, eps)
        self.feed_forward = feed_forward

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: KeyValues | None = None) -> np.ndarray:
        """y (N, H). With `seen`, the rows of x come after what was seen, see that too, and are remembered in it."""
        x = x + self.attention(self.attention_norm(x), lengths, seen)
        return x + self.feed_forward(self.feed_forward_norm(x))

    def attention_weights(self, x: np.ndarray) -> np.ndarray:
        """(A, T, T): how each head divides each row's attention, for x (T, H) of one sequence."""
        normalised = self.attention_norm(x)
        return self.attention.weights(normalised, normalised)

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, PreNormLayerCache]:
        """y (N, H) of x (N, H) whose sequences have `lengths` (S,); dropout happens only with an rng."""
        normalised, attention_norm_cache = self.attention_norm.forward(x)
        attended, attention_cache = self.attention.forward(normalised, lengths, rng)
        x = x + attended
        normalised, feed_forward_norm_cache = self.feed_forward_norm.forward(x)
        transformed, feed_forward_cache = self.feed_forward.forward(normalised, rng)
        caches = attention_norm_cache, attention_cache, feed_forward_norm_cache, feed_forward_cache
        return x + transformed, PreNormLayerCache(*caches)

    def backward(self, dy: np.ndarray, cache: PreNormLayerCache) -> np.ndarray:
        d_normalised = self.feed_forward.backward(dy, cache.feed_forward)
        dx = dy + self.feed_forward_norm.backward(d_normalised, cache.feed_forward_norm)  # both uses of x add up
        d_normalised = self.attention.backward(dx, cache.attention)
        return dx + self.attention_norm.backward(d_normalised, cache.attention_norm)
