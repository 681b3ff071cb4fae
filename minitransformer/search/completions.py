"""Texts that continue what has been typed, from the beginning of any of their words.

"ice c" is continued by "ice cream" and by "vanilla ice cream". Texts that begin with what was typed come before those
with a word that does, and among each the more popular ones first. (Any word on the same footing makes the list worse:
who types "ice" rarely means "vanilla ice cream".)

Where no more than a few texts match, typing errors are looked for (edit_distance.py): each word that no text has is
replaced by the nearest ones that there are, the last one by words that begin nearly like it. What matches exactly stays
in front.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from minitransformer.search.edit_distance import WordList
from minitransformer.search.terms import normalise_text

MAX_CORRECTIONS, MAX_CORRECTED = 3, 9  # for each word; of all that was typed
LAST = "\U0010ffff"  # comes after all that can be typed


class Completion(NamedTuple):
    """The place of a text in the order of popularity, and what was typed with its errors corrected, if it had any."""

    place: int
    correction: str | None = None


class Completions:
    """Finds the texts that continue a prefix, among texts (n,) that are given by falling popularity."""

    def __init__(self, texts: Sequence[str]) -> None:
        """The texts as normalise_text gives them."""
        self.texts = texts
        starts = [(text[at:], at > 0, place) for place, text in enumerate(texts) for at in _word_starts(text)]
        starts.sort()
        self._suffixes = [suffix for suffix, _, _ in starts]
        # By this number those that begin with the prefix come first, then the more popular ones.
        self._order = np.array([place + len(texts) * inside for _, inside, place in starts], np.int64)
        popular_first = dict.fromkeys(word for text in texts for word in text.split())
        self.words = WordList(list(popular_first))
        self._sorted_words = sorted(popular_first)

    def find(self, typed: str, limit: int) -> list[Completion]:
        """The first `limit` texts that continue what was typed; those with corrections come last."""
        prefix = typed_prefix(typed)
        found = [Completion(place) for place in self._matching(prefix, limit)]
        if len(found) < limit:
            known = {completion.place for completion in found}
            for corrected in self._corrections(prefix):
                new = [place for place in self._matching(corrected, limit) if place not in known]
                found += [Completion(place, corrected) for place in new]
                known.update(new)
        return found[:limit]

    def _matching(self, prefix: str, limit: int) -> list[int]:
        low, high = (bisect_left(self._suffixes, bound) for bound in (prefix, prefix + LAST))
        order = self._order[low:high]
        if len(order) > 2 * limit:  # twice: a text may match in two words
            order = np.partition(order, 2 * limit)[: 2 * limit]
        return list(dict.fromkeys(int(place) for place in np.sort(order) % max(1, len(self.texts))))[:limit]

    def _corrections(self, prefix: str) -> list[str]:
        """What might have been meant, the likeliest first; nothing if each word is one that there is."""
        *words, last = prefix.split(" ")
        choices = [[word] if self._is_word(word) else self.words.nearest(word, MAX_CORRECTIONS) for word in words]
        choices.append([last] if self._begins_word(last) else self.words.nearest_beginnings(last, MAX_CORRECTIONS))
        corrected = [" ".join(chosen) for chosen in islice(product(*choices), MAX_CORRECTED)]
        return [text for text in corrected if text != prefix]

    def _is_word(self, word: str) -> bool:
        place = bisect_left(self._sorted_words, word)
        return self._sorted_words[place : place + 1] == [word]

    def _begins_word(self, beginning: str) -> bool:
        place = bisect_left(self._sorted_words, beginning)
        return any(word.startswith(beginning) for word in self._sorted_words[place : place + 1])


def typed_prefix(typed: str) -> str:
    """As normalise_text, but a space at the end remains: then the last word is complete.

    >>> typed_prefix("Ice  C"), typed_prefix("ice ")
    ('ice c', 'ice ')
    """
    text = normalise_text(typed)
    return f"{text} " if text and typed[-1].isspace() else text


def _word_starts(text: str) -> list[int]:
    return [0] + [at + 1 for at, character in enumerate(text) if character == " "]
