"""Truncate pairs of texts to a common number of tokens."""

import warnings

import numpy as np

from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray

TRUNCATIONS = ("warn", "error", "silent")


class Truncation:
    """Cuts texts to the model's limit, and keeps count of what that costs.

    `num_last` tokens at the end are kept, which is [SEP].

    `mode` is what to do about a text that is too long: "warn" of all in `report`, "error" at once, or "silent".
    """

    def __init__(self, limit: int, mode: str, num_last: int = 1) -> None:
        if mode not in TRUNCATIONS:
            raise UserError(f"truncation must be one of {', '.join(TRUNCATIONS)}; found {mode!r}")
        self.limit, self.mode, self.num_last = limit, mode, num_last
        self.texts = self.tokens = self.cut_texts = self.cut_tokens = 0

    def count(self, lengths: IntArray) -> None:
        """Keep count of texts, or pairs, of these lengths (S,) in tokens, which somebody else cuts."""
        excess = np.maximum(lengths - self.limit, 0)
        self.texts += len(lengths)
        self.tokens += int(lengths.sum())
        self.cut_texts += int((excess > 0).sum())
        self.cut_tokens += int(excess.sum())

    def cut(self, text: str, ids: list[int]) -> list[int]:
        """At most `limit` of the ids, the last ones kept."""
        self.texts += 1
        self.tokens += len(ids)
        excess = len(ids) - self.limit
        if excess <= 0:
            return ids
        if self.mode == "error":
            raise UserError(f"a text has {len(ids)} tokens, but the model takes {self.limit}: {text[:60]!r}...")
        self.cut_texts += 1
        self.cut_tokens += excess
        return [*ids[: self.limit - self.num_last], *ids[len(ids) - self.num_last :]]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """The texts and their tokens, and how many of them were cut."""
        return self.texts, self.tokens, self.cut_texts, self.cut_tokens

    def add(self, *others: tuple[int, int, int, int]) -> None:
        """Count what others have cut, too."""
        self.texts, self.tokens, self.cut_texts, self.cut_tokens = map(sum, zip(self.counts, *others, strict=True))

    def report(self, source: str = "") -> None:
        """Warn of what was cut, if that was asked for. `source` is where the texts are from."""
        if self.cut_texts and self.mode == "warn":
            where = f"{source}: " if source else ""
            warnings.warn(
                f"{where}{self.cut_texts:,} of {self.texts:,} texts are longer than the model's {self.limit} tokens: "
                f"{self.cut_tokens:,} of {self.tokens:,} tokens were cut off",
                stacklevel=4,
            )


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
