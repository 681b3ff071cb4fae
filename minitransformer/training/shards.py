"""Cutting a step's batch into shards: as many sentences of like length, and as many tokens, as can be."""

from __future__ import annotations

import numpy as np

from minitransformer.text.packed_tokens import IntArray


def equal_shards(lengths: IntArray, count: int) -> list[IntArray]:
    """The sentence indices of each of `count` shards of about equally many tokens, for lengths (S,).

    The sentences are sorted by length and then cut, so that attention finds long runs of equal length. A shard that
    would be empty is left out.

    >>> equal_shards(np.array([5, 2, 9, 2, 6, 4]), 2)
    [array([1, 3, 5, 0]), array([4, 2])]
    """
    order = np.argsort(lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    middles = ends - lengths[order] / 2
    shard_of = (middles * count / max(1, ends[-1])).astype(int)
    return [order[shard_of == shard] for shard in range(count) if (shard_of == shard).any()]
