"""Multi-head attention: projections to queries, keys and values, attention, and a projection back.

One layer serves the lecture's two kinds of attention. In encoder-decoder attention the rows of x ask and the rows of a
source answer; in self-attention x is its own source. Causal self-attention lets each row see itself and what is before.
"""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.attention import attention_weights
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.multi_head_attention import (
    MultiHeadAttentionCache,
    multi_head_attention,
    multi_head_attention_backward,
    multi_head_attention_forward,
)


class AttentionLayerCache(NamedTuple):
    query: LinearCache
    key: LinearCache
    value: LinearCache
    attention: MultiHeadAttentionCache
    output: LinearCache
    dropout: DropoutCache


class CrossAttention(Module):
    """Attention of the packed rows x (N, H) of S sequences over the rows source (M, H) of as many.

        Q = x W^Q + b^Q,   K = source W^K + b^K,   V = source W^V + b^V,   y = dropout(heads(Q, K, V) W^O + b^O)

    Sequence s of x sees sequence s of the source (Vaswani et al. 2017, sections 3.2.2 and 3.2.3). In training, dropout
    falls on the attention weights (attention_dropout) and on the output (hidden_dropout).
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        attention_dropout: float,
        hidden_dropout: float,
        init_std: float = 0.02,
        causal: bool = False,
    ) -> None:
        self.query = Linear(hidden_size, hidden_size, init_std)
        self.key = Linear(hidden_size, hidden_size, init_std)
        self.value = Linear(hidden_size, hidden_size, init_std)
        self.output = Linear(hidden_size, hidden_size, init_std)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.hidden_dropout = hidden_dropout
        self.causal = causal

    def key_values(self, source: np.ndarray, source_lengths: np.ndarray) -> KeyValues:
        """The source's keys and values, for a decoder that asks them at every step."""
        seen = KeyValues(len(source_lengths), source.shape[1], source.dtype)
        seen.append(self.key(source), self.value(source), source_lengths)
        return seen

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: KeyValues) -> np.ndarray:
        """y (N, H) for new rows x (N, H) and what they see."""
        return self.output(seen.attend(self.query(x), lengths, self.num_heads, self.causal))

    def weights(self, x: np.ndarray, source: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        """(A, T, U): how each head divides each row's attention among the source's, for one sequence of each."""
        q, k = (
            rows.reshape(len(rows), self.num_heads, -1).swapaxes(0, 1) for rows in (self.query(x), self.key(source))
        )
        return attention_weights(q, k, 1 / math.sqrt(q.shape[-1]), bias, self.causal)

    def forward(
        self,
        x: np.ndarray,
        lengths: np.ndarray,
        source: np.ndarray,
        source_lengths: np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, AttentionLayerCache]:
        """y (N, H), where lengths and source_lengths (S,) cut the rows into sequences; dropout only with an rng."""
        q, query_cache = self.query.forward(x, rng)
        k, key_cache = self.key.forward(source, rng)
        v, value_cache = self.value.forward(source, rng)
        attended, attention_cache = multi_head_attention_forward(
            q,
            k,
            v,
            lengths,
            source_lengths,
            self.num_heads,
            causal=self.causal,
            dropout_rate=self.attention_dropout,
            rng=rng,
        )
        y, output_cache = self.output.forward(attended, rng)
        y, dropout_cache = dropout_forward(y, self.hidden_dropout, rng)
        return y, AttentionLayerCache(query_cache, key_cache, value_cache, attention_cache, output_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: AttentionLayerCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of x (N, H) and source (M, H)."""
        dy = dropout_backward(dy, cache.dropout)
        d_attended = self.output.backward(dy, cache.output)
        dq, dk, dv = multi_head_attention_backward(d_attended, cache.attention)
        d_source = self.value.backward(dv, cache.value)
        d_source += self.key.backward(dk, cache.key)  # the source went into both
        return self.query.backward(dq, cache.query), d_source


class SelfAttention(CrossAttention):
    """Attention of the rows x (N, H) of S sequences over themselves, each sequence for itself."""

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: KeyValues | None = None) -> np.ndarray:
        """y (N, H). With `seen`, the rows of x come after what was seen, see that too, and are remembered in it."""
        if seen is None:
            q, k, v = self.query(x), self.key(x), self.value(x)
            return self.output(multi_head_attention(q, k, v, lengths, lengths, self.num_heads, causal=self.causal))
        seen.append(self.key(x), self.value(x), lengths)
        return super().__call__(x, lengths, seen)

    def forward(  # type: ignore[override]
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, AttentionLayerCache]:
        """y (N, H) of x (N, H) whose sequences have `lengths` (S,); dropout happens only with an rng."""
        return super().forward(x, lengths, x, lengths, rng)

    def backward(self, dy: np.ndarray, cache: AttentionLayerCache) -> np.ndarray:  # type: ignore[override]
        dx, d_source = super().backward(dy, cache)
        return dx + d_source  # x was both: the uses add up
