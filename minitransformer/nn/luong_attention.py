"""Attention before the Transformer: a recurrent decoder looks back at its source."""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, Uniform
from minitransformer.ops.attention import attention_weights
from minitransformer.ops.multi_head_attention import (
    MultiHeadAttentionCache,
    multi_head_attention_backward,
    multi_head_attention_forward,
)


class LuongAttentionCache(NamedTuple):
    x: np.ndarray  # (N, H)
    attention: MultiHeadAttentionCache
    combination: DenseCache


class LuongAttention(Module):
    """Luong et al. 2015 (arXiv 1508.04025), section 3.1, with the score "general":

        scores = x W_a source^T,   context = softmax(scores) source,   y = tanh([context, x] W_c + b)

    Each row of a sequence of x asks all rows of the same sequence of the source, as in CrossAttention, with one head,
    and the source's rows themselves as keys and values. The scores aren't divided by sqrt(H): W_a learns their size.
    """

    def __init__(self, hidden_size: int) -> None:
        self.weight = Parameter((hidden_size, hidden_size), Uniform(math.sqrt(3 / hidden_size)))
        self.combination = Dense(2 * hidden_size, hidden_size, "tanh", init_std=hidden_size**-0.5)
        self.undo_scale = math.sqrt(hidden_size)  # ops/attention.py divides by it

    def weights(self, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        """(T, M): how each row of x (T, H) divides its attention among those of source (M, H), one sequence."""
        return attention_weights(x @ self.weight.value, source, scale=1.0)

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, source: np.ndarray, source_lengths: np.ndarray
    ) -> tuple[np.ndarray, LuongAttentionCache]:
        """y (N, H), where lengths and source_lengths (S,) cut x (N, H) and source (M, H) into sequences."""
        q = self.undo_scale * (x @ self.weight.value)
        context, attention_cache = multi_head_attention_forward(q, source, source, lengths, source_lengths, 1)
        y, combination_cache = self.combination.forward(np.hstack([context, x]))
        return y, LuongAttentionCache(x, attention_cache, combination_cache)

    def backward(self, dy: np.ndarray, cache: LuongAttentionCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of x (N, H) and source (M, H)."""
        d_context, dx = np.split(self.combination.backward(dy, cache.combination), 2, axis=1)
        dq, dk, dv = multi_head_attention_backward(np.ascontiguousarray(d_context), cache.attention)
        dq *= self.undo_scale
        self.weight.accumulate(cache.x.T @ dq)
        return dx + dq @ self.weight.value.T, dk + dv
