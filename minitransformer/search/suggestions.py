"""What to suggest while somebody types: the texts that continue it, of those that mean the same only the first.

Nothing is embedded here, since a key is pressed more often than a query can be embedded: the texts and their embeddings
are those that the index was made with.
"""

from collections.abc import Callable, Sequence, Set
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from minitransformer.search.completions import Completion, Completions, typed_prefix
from minitransformer.search.deduplication import Same, deduplicate
from minitransformer.search.suggestion_ranking import RankedTexts
from minitransformer.search.terms import normalise_text

SAME_MEANING = 0.95  # the cosine from which one suggestion is shown for two
SHOW_ALL = 2.0  # a cosine that none reaches
CANDIDATES = 50  # the first ones, from which those that are shown are chosen
KEPT = 5000  # texts whose products are remembered

Find = Callable[[str, np.ndarray], Set[int]]  # a text and its embedding (E,): the first products that it finds


class Hidden(NamedTuple):
    """A suggestion that isn't shown because one above it means the same, and the cosine of the two.

    overlap    of the products that the two find; None if it wasn't asked for
    """

    text: str
    cosine: float
    overlap: float | None = None


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

    def __init__(
        self,
        texts: Sequence[str],
        popularity: Sequence[float],
        rows: np.ndarray,
        matrix: np.ndarray,
        find: Find,
        ranking: RankedTexts | None = None,
    ) -> None:
        """rows (n,) are the places of the texts' embeddings in the matrix (R, E); -1 if a text has none yet.

        Without a ranking the more popular come first.
        """
        self.texts, self.popularity, self._ranking = texts, popularity, ranking
        self._completions = Completions(texts)
        self._rows, self._matrix = rows, matrix
        self._products = lru_cache(KEPT)(
            lambda place: find(texts[place], matrix[rows[place]]) if rows[place] >= 0 else frozenset()
        )

    def find(
        self, typed: str, top: int, same_meaning: float, same_results: float = 0, ranked: bool = True
    ) -> list[Suggestion]:
        """At most `top` suggestions.

        Hidden are those that reach the cosine `same_meaning`, and the overlap `same_results`, with one above them.
        `ranked` uses the ranking, if there is one.
        """
        found = self._completions.find(typed, max(top, CANDIDATES))
        if ranked and self._ranking and found:
            found = self._ranked(typed, found[:CANDIDATES], self._ranking) + found[CANDIDATES:]
        embeddings = np.zeros((len(found), self._matrix.shape[1]), np.float32)
        rows = self._rows[[completion.place for completion in found]]
        embeddings[rows >= 0] = self._matrix[rows[rows >= 0]]
        shown = deduplicate(embeddings, same_meaning, same_results, lambda place: self._products(found[place].place))
        return [self._suggestion(found, place, hides) for place, hides in shown[:top]]

    def _ranked(self, typed: str, found: Sequence[Completion], ranking: RankedTexts) -> list[Completion]:
        """The likeliest first, but what matches exactly stays in front of what had to be corrected."""
        prefix = typed_prefix(typed)
        begins = [self.texts[place].startswith(correction or prefix) for place, correction in found]
        corrected = np.array([correction is not None for _, correction in found])
        likely = ranking.log_probabilities([place for place, _ in found], begins, corrected)
        return [found[i] for i in np.lexsort((-likely, corrected))]

    def nearest_word(self, word: str) -> list[str]:
        """The word of a text that is meant by a misspelt one, if there is one near enough."""
        return self._completions.words.nearest(normalise_text(word), 1)

    def _suggestion(self, found: Sequence[Completion], place: int, hides: Sequence[Same]) -> Suggestion:
        hidden = [Hidden(self.texts[found[same.place].place], same.cosine, same.overlap) for same in hides]
        text, correction = found[place]
        return Suggestion(self.texts[text], self.popularity[text], correction, hidden)
