"""One layer of the original decoder: the tokens look back at each other, then at the source, then each thinks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.nn.attention import AttentionLayerCache, CrossAttention, SelfAttention
from minitransformer.nn.feed_forward import FeedForward, FeedForwardCache
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.ops.layer_norm import LayerNormCache


class DecoderLayerCache(NamedTuple):
    self_attention: AttentionLayerCache
    self_norm: LayerNormCache
    cross: AttentionLayerCache
    cross_norm: LayerNormCache
    feed_forward: FeedForwardCache
    output_norm: LayerNormCache


class SeenWithSource(NamedTuple):
    """What a layer knows of S sequences: what it has seen of them so far, and the whole of their sources."""

    seen: KeyValues  # of the self attention; grows with every step
    source: KeyValues  # of the cross attention; computed once

    @property
    def lengths(self) -> np.ndarray:
        """(S,) how many rows of each sequence were seen."""
        return self.seen.lengths

    def select(self, sequences: np.ndarray) -> SeenWithSource:
        return SeenWithSource(self.seen.select(sequences), self.source.select(sequences))


class DecoderLayer(Module):
    """On packed rows x (N, H), with the rows source (M, H) of as many sequences (Vaswani et al. 2017, figure 1, right):

    x = norm(x + self_attention(x)),   causal: no row sees what comes after it
    x = norm(x + cross_attention(x, source))
    y = norm(x + feed_forward(x))
    """

    def __init__(
        self,
        self_attention: SelfAttention,
        cross_attention: CrossAttention,
        feed_forward: FeedForward,
        size: int,
        eps: float,
    ) -> None:
        self.self_attention = self_attention
        self.self_attention_norm = LayerNorm(size, eps)
        self.cross_attention = cross_attention
        self.cross_attention_norm = LayerNorm(size, eps)
        self.feed_forward = feed_forward
        self.output_norm = LayerNorm(size, eps)

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: SeenWithSource) -> np.ndarray:
        """y (N, H). The rows of x come after what was seen, see that too, and are remembered in it."""
        x = self.self_attention_norm(x + self.self_attention(x, lengths, seen.seen))
        x = self.cross_attention_norm(x + self.cross_attention(x, lengths, seen.source))
        return self.output_norm(x + self.feed_forward(x))

    def source_weights(self, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        """(A, T, M): how each head divides each row's attention among the source's, for x (T, H) of one sequence."""
        x = self.self_attention_norm(x + self.self_attention(x, np.array([len(x)])))
        return self.cross_attention.weights(x, source)

    def forward(
        self,
        x: np.ndarray,
        lengths: np.ndarray,
        source: np.ndarray,
        source_lengths: np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, DecoderLayerCache]:
        """y (N, H), where lengths and source_lengths (S,) cut the rows into sequences; dropout only with an rng."""
        attended, self_cache = self.self_attention.forward(x, lengths, rng)
        x, self_norm_cache = self.self_attention_norm.forward(x + attended)
        attended, cross_cache = self.cross_attention.forward(x, lengths, source, source_lengths, rng)
        x, cross_norm_cache = self.cross_attention_norm.forward(x + attended)
        transformed, feed_forward_cache = self.feed_forward.forward(x, rng)
        y, output_norm_cache = self.output_norm.forward(x + transformed)
        caches = self_cache, self_norm_cache, cross_cache, cross_norm_cache, feed_forward_cache, output_norm_cache
        return y, DecoderLayerCache(*caches)

    def backward(self, dy: np.ndarray, cache: DecoderLayerCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of x (N, H) and source (M, H)."""
        d_sum = self.output_norm.backward(dy, cache.output_norm)
        dx = d_sum + self.feed_forward.backward(d_sum, cache.feed_forward)  # each summand gets the sum's gradient
        d_sum = self.cross_attention_norm.backward(dx, cache.cross_norm)
        dx, d_source = self.cross_attention.backward(d_sum, cache.cross)
        d_sum = self.self_attention_norm.backward(d_sum + dx, cache.self_norm)
        return d_sum + self.self_attention.backward(d_sum, cache.self_attention), d_source
