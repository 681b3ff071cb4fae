"""Truncate pairs of texts to a common number of tokens."""

import numpy as np

from minitransformer.text.packed_tokens import IntArray


def longest_first(first: IntArray, second: IntArray, budget: int) -> tuple[IntArray, IntArray]:
    """The lengths (S,) of pairs after cutting the longer text until both fit, and once they are equal, both alike.

    If the budget is odd, the longer text keeps one token more, or the second of two equally long ones.

    >>> longest_first(np.array([10, 9, 9, 2]), np.array([3, 8, 9, 3]), 7)
    (array([4, 4, 3, 2]), array([3, 3, 4, 3]))
    """
    shorter = np.minimum(np.minimum(first, second), budget // 2)
    longer = np.minimum(np.maximum(first, second), budget - shorter)
    first_is_longer = first > second
    return np.where(first_is_longer, longer, shorter), np.where(first_is_longer, shorter, longer)
