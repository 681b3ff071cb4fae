"""How many typing errors lie between two words, for a word against all words of a list at once.

The optimal string alignment distance: the fewest letters to insert, delete, replace, or swap with their neighbour.
With D[i, j] for the first i letters of the typed word and the first j of the other,

    D[i, j] = min(D[i-1, j] + 1,  D[i, j-1] + 1,  D[i-1, j-1] + (typed[i] != word[j]),
                  D[i-2, j-2] + 1  if typed[i-1, i] are word[j, j-1])

Row i is computed for all words and all j in one go. The second term, which runs along the row, is a running minimum:
D[i, j] - j = min over k <= j of (the others' D[i, k] - k). The last row holds the distance to the whole word and to
each of its beginnings: what has been typed so far is the beginning of the word that is meant.
"""

from collections.abc import Sequence

import numpy as np

LETTERS = 24  # of a word that are compared
ONE_EDIT, TWO_EDITS = 4, 8  # letters of a word that may have one typing error, or two


def allowed_edits(word: str) -> int:
    """Short words are too near to each other to be corrected.

    >>> [allowed_edits(word) for word in ("mug", "mikl", "brocolli")]
    [0, 1, 2]
    """
    return (len(word) >= ONE_EDIT) + (len(word) >= TWO_EDITS)


class WordList:
    """Words (n,), the most popular first, in which those near a typed word are looked for."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._lengths = np.array([min(len(word), LETTERS) for word in words], np.int64)
        self._letters = _letters(words)
        self._alphabet = np.array([_letter_set(word) for word in words], np.int64)

    def nearest(self, typed: str, count: int) -> list[str]:
        """At most `count` words within the edits that the typed word's length allows, the nearest first."""
        return self._nearest(typed, count, beginnings=False)

    def nearest_beginnings(self, typed: str, count: int) -> list[str]:
        """As nearest, for words that begin nearly like the typed one."""
        return self._nearest(typed, count, beginnings=True)

    def _nearest(self, typed: str, count: int, beginnings: bool) -> list[str]:
        edits = allowed_edits(typed)
        if not edits or not len(self.words):
            return []
        # A letter of the typed word that the other lacks is an edit at least; this leaves a few of a hundred words.
        lacking = _letter_set(typed[:LETTERS]) & ~self._alphabet
        few = np.flatnonzero((_num_bits(lacking) <= edits) & (self._lengths >= len(typed) - edits))
        last_row = distances(typed, self._letters[few])
        distance = last_row.min(axis=1) if beginnings else last_row[np.arange(len(few)), self._lengths[few]]
        near = np.flatnonzero(distance <= edits)
        near = near[np.argsort(distance[near], kind="stable")][:count]
        return [self.words[place] for place in few[near]]


def distances(typed: str, letters: np.ndarray) -> np.ndarray:
    """D[len(typed), :] (n, LETTERS + 1) of a typed word and the words with these letters (n, LETTERS).

    Column j is the distance to a word's first j letters.
    """
    steps = np.arange(letters.shape[1] + 1, dtype=np.int64)
    row = np.tile(steps, (len(letters), 1))
    before = row
    for i, letter in enumerate(map(ord, typed)):
        new = row + 1
        np.minimum(new[:, 1:], row[:, :-1] + (letters != letter), out=new[:, 1:])
        if i:
            swapped = (letters[:, :-1] == letter) & (letters[:, 1:] == ord(typed[i - 1]))
            np.minimum(new[:, 2:], np.where(swapped, before[:, :-2] + 1, new[:, 2:]), out=new[:, 2:])
        new = np.minimum.accumulate(new - steps, axis=1) + steps
        before, row = row, new
    return row


def _letters(words: Sequence[str]) -> np.ndarray:
    """(n, LETTERS) code points, 0 after the end of a word."""
    return np.array(list(words), f"<U{LETTERS}").view(np.uint32).reshape(len(words), LETTERS).astype(np.int64)


def _letter_set(word: str) -> int:
    """A bit for each letter that a word has; some rare ones share a bit."""
    bits = 0
    for letter in word[:LETTERS]:
        bits |= 1 << (ord(letter) % 61)
    return bits


def _num_bits(numbers: np.ndarray) -> np.ndarray:
    """How many bits of each number (n,) are set."""
    return np.unpackbits(numbers.view(np.uint8).reshape(len(numbers), 8), axis=1).sum(axis=1)
