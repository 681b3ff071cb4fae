"""What to suggest while somebody types: the texts that continue it, of those that mean the same only the first.

Nothing is embedded here, since a key is pressed more often than a query can be embedded: the texts and their embeddings
are those that the index was made with.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minitransformer.search.completions import Completion, Completions
from minitransformer.search.deduplication import deduplicate
from minitransformer.search.terms import normalise_text

SAME_MEANING = 0.95  # the cosine from which one suggestion is shown for two
SHOW_ALL = 2.0  # a cosine that none reaches
CANDIDATES = 50  # the first ones, from which those that are shown are chosen


class Hidden(NamedTuple):
    """A suggestion that isn't shown because one above it means the same, and the cosine of the two."""

    text: str
    cosine: float


class Suggestion(NamedTuple):
    """What might be searched for.

    popularity    the probability that a search is for it
    correction    what was typed, without its errors; None if it has none
    hides         suggestions that it is shown for, too
    """

    text: str
    popularity: float
    correction: str | None
    hides: list[Hidden]

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "hides": [hidden._asdict() for hidden in self.hides]}


class Suggestions:
    """All that can be suggested, by falling popularity."""

    def __init__(self, texts: Sequence[str], popularity: Sequence[float], rows: np.ndarray, matrix: np.ndarray) -> None:
        """rows (n,) are the places of the texts' embeddings in the matrix (R, E); -1 if a text has none yet."""
        self.texts, self.popularity = texts, popularity
        self._completions = Completions(texts)
        self._rows, self._matrix = rows, matrix

    def find(self, typed: str, top: int, same_meaning: float) -> list[Suggestion]:
        """At most `top` suggestions; those that reach the cosine `same_meaning` with one above them are hidden."""
        found = self._completions.find(typed, max(top, CANDIDATES))
        embeddings = np.zeros((len(found), self._matrix.shape[1]), np.float32)
        rows = self._rows[[completion.place for completion in found]]
        embeddings[rows >= 0] = self._matrix[rows[rows >= 0]]
        shown = deduplicate(embeddings, same_meaning)[:top]
        return [
            self._suggestion(found[place], [(found[hidden], cosine) for hidden, cosine in hides])
            for place, hides in shown
        ]

    def nearest_word(self, word: str) -> list[str]:
        """The word of a text that is meant by a misspelt one, if there is one near enough."""
        return self._completions.words.nearest(normalise_text(word), 1)

    def _suggestion(self, completion: Completion, hides: Sequence[tuple[Completion, float]]) -> Suggestion:
        hidden = [Hidden(self.texts[other.place], cosine) for other, cosine in hides]
        place = completion.place
        return Suggestion(self.texts[place], self.popularity[place], completion.correction, hidden)
