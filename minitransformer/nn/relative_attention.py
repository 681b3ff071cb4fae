"""Self-attention that knows how far apart two tokens are, as in T5 and MPNet.

Each distance j - i falls into one of 32 buckets: every one up to 7 has its own, those from 8 to 127 share eight that
grow with the logarithm, and all beyond share the last; 16 buckets for what comes before, and 16 for what comes after.
A table has a number for each bucket and head, which is added to the score (Raffel et al. 2020, arXiv 1910.10683,
section 2.1). All layers share the table.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.key_values import KeyValues
from minitransformer.ops.biased_attention import (
    BiasedAttentionCache,
    biased_attention_backward,
    biased_attention_forward,
)
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.embedding import EmbeddingCache
from minitransformer.ops.linear import LinearCache

NUM_BUCKETS = 32
_FURTHEST = 128


class RelativeAttentionCache(NamedTuple):
    query: LinearCache
    key: LinearCache
    value: LinearCache
    bias: EmbeddingCache
    attention: BiasedAttentionCache
    output: LinearCache
    dropout: DropoutCache


class RelativeSelfAttention(SelfAttention):
    """SelfAttention whose scores have a bias from `distances`, an Embedding of (32, heads)."""

    def __init__(self, distances: Embedding, hidden_size: int, *options: Any) -> None:
        super().__init__(hidden_size, *options)
        self.distances = distances

    def __call__(self, x: np.ndarray, lengths: np.ndarray, seen: KeyValues | None = None) -> np.ndarray:
        assert seen is None, "an encoder's attention"
        return self.forward(x, lengths)[0]

    def forward(  # type: ignore[override]
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, RelativeAttentionCache]:
        """y (N, H) of x (N, H) whose sequences have `lengths` (S,); dropout happens only with an rng."""
        (q, query_cache), (k, key_cache), (v, value_cache) = (
            projection.forward(x) for projection in (self.query, self.key, self.value)
        )
        bias, bias_cache = self._bias(int(lengths.max(initial=0)))
        options: Any = {"dropout_rate": self.attention_dropout, "rng": rng}
        attended, attention_cache = biased_attention_forward(q, k, v, bias, lengths, **options)
        y, output_cache = self.output.forward(attended)
        y, dropout_cache = dropout_forward(y, self.hidden_dropout, rng)
        linear_caches = query_cache, key_cache, value_cache
        return y, RelativeAttentionCache(*linear_caches, bias_cache, attention_cache, output_cache, dropout_cache)

    def weights(self, x: np.ndarray, source: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        return super().weights(x, source, self._bias(len(x))[0])

    def _bias(self, length: int) -> tuple[np.ndarray, EmbeddingCache]:
        """(A, T, T) for T tokens, and the cache of the table's rows."""
        of_pairs, cache = self.distances.forward(distance_buckets(length).ravel())
        return of_pairs.T.reshape(-1, length, length), cache

    def backward(self, dy: np.ndarray, cache: RelativeAttentionCache) -> np.ndarray:  # type: ignore[override]
        d_attended = self.output.backward(dropout_backward(dy, cache.dropout), cache.output)
        dq, dk, dv, dbias = biased_attention_backward(d_attended, cache.attention)
        self.distances.backward(dbias.reshape(len(dbias), -1).T, cache.bias)
        dx = self.query.backward(dq, cache.query)
        return dx + self.key.backward(dk, cache.key) + self.value.backward(dv, cache.value)  # x went into all three


def distance_buckets(length: int) -> np.ndarray:
    """(T, T), the bucket of j - i for query i and key j."""
    distances = np.arange(length) - np.arange(length)[:, None]
    half = NUM_BUCKETS // 2
    near, far = half // 2, np.maximum(abs(distances), 1).astype(np.float32)
    logarithmic = near + (np.log(far / near) / math.log(_FURTHEST / near) * (half - near)).astype(np.int64)
    buckets = np.where(abs(distances) < near, abs(distances), np.minimum(logarithmic, half - 1))
    return buckets + half * (distances > 0)
