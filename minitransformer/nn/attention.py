"""Multi-head attention: projections to queries, keys and values, attention, and a projection back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
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


class MultiHeadSelfAttention(Module):
    """Self-attention over the packed rows x (N, H) of S sentences, each for itself (Vaswani et al. 2017, 3.2.2).

    Q = x W^Q + b^Q, K = x W^K + b^K, V = x W^V + b^V;  y = dropout(heads(Q, K, V) W^O + b^O).
    In training, dropout falls on the attention weights (attention_dropout) and on the output (hidden_dropout).
    """

    def __init__(
        self, hidden_size: int, num_heads: int, attention_dropout: float, hidden_dropout: float, init_std: float = 0.02
    ) -> None:
        self.query = Linear(hidden_size, hidden_size, init_std)
        self.key = Linear(hidden_size, hidden_size, init_std)
        self.value = Linear(hidden_size, hidden_size, init_std)
        self.output = Linear(hidden_size, hidden_size, init_std)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.hidden_dropout = hidden_dropout

    def __call__(self, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        q, k, v = self.query(x), self.key(x), self.value(x)
        return self.output(multi_head_attention(q, k, v, lengths, lengths, self.num_heads))

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, AttentionLayerCache]:
        """y (N, H) of x (N, H) whose sentences have `lengths` (S,); dropout happens only with an rng."""
        q, query_cache = self.query.forward(x)
        k, key_cache = self.key.forward(x)
        v, value_cache = self.value.forward(x)
        attended, attention_cache = multi_head_attention_forward(
            q, k, v, lengths, lengths, self.num_heads, dropout_rate=self.attention_dropout, rng=rng
        )
        y, output_cache = self.output.forward(attended)
        y, dropout_cache = dropout_forward(y, self.hidden_dropout, rng)
        return y, AttentionLayerCache(query_cache, key_cache, value_cache, attention_cache, output_cache, dropout_cache)

    def backward(self, dy: np.ndarray, cache: AttentionLayerCache) -> np.ndarray:
        dy = dropout_backward(dy, cache.dropout)
        d_attended = self.output.backward(dy, cache.output)
        dq, dk, dv = multi_head_attention_backward(d_attended, cache.attention)
        # x went into all three projections, so their gradients add up.
        dx = self.value.backward(dv, cache.value)
        dx += self.key.backward(dk, cache.key)
        dx += self.query.backward(dq, cache.query)
        return dx
