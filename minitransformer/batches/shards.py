"""A step's batch in shards: sequences of like length, about equally many tokens each; and their metrics added up."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitransformer.text.packed_tokens import IntArray

# Tokens of a shard, about: with more, products of matrices hardly get any faster, and memory grows.
ENOUGH_TOKENS = 1024


def equal_shards(lengths: IntArray, count: int) -> list[IntArray]:
    """The sequences (indices) of each of `count` shards of about equally many tokens, for lengths (S,).

    The sequences are sorted by length and then cut, so that attention finds many of equal length in a row. A shard that
    would be empty is left out.

    >>> equal_shards(np.array([5, 2, 9, 2, 6, 4]), 2)
    [array([1, 3, 5, 0]), array([4, 2])]
    """
    order = np.argsort(lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    middles = ends - lengths[order] / 2
    shard_of = (middles * count / max(1, lengths.sum())).astype(int)
    return [order[shard_of == shard] for shard in range(count) if (shard_of == shard).any()]


def bounded_shards(lengths: IntArray, count: int, enough_tokens: int = ENOUGH_TOKENS) -> list[IntArray]:
    """equal_shards, but two, three, ... times `count` if there is text for shards of about enough_tokens.

    A shard has at most half as many more, and a sequence. For losses that are done with one shard before they begin the
    next, so that a worker needs the memory of one. (SiameseTask keeps them all: its loss is one of the whole batch.)
    """
    rounds = round(int(lengths.sum()) / (count * enough_tokens))
    return equal_shards(lengths, count * max(1, rounds))


def sum_of_shares(shares: Sequence[Any]) -> Any:
    """The loss of a batch from its shards' shares of it: numbers, or NamedTuples of numbers."""
    kind: Any = type(shares[0])
    return kind(*map(sum, zip(*shares, strict=True))) if issubclass(kind, tuple) else sum(shares)
