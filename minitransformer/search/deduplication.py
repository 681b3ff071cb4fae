"""Suggestions that mean the same are shown once.

Going down the list, a suggestion is hidden if its cosine with one that is shown above it reaches a threshold (Xie et
al. 2022, arXiv 2209.05555, section 8): "cheese slices" hides "sliced cheese". The embeddings are those of queries,
computed when the index was made. How well it works depends on the model: one that isn't trained on searches also takes
"milk chocolate" for "chocolate milk".
"""

from typing import NamedTuple

import numpy as np


class Shown(NamedTuple):
    """The place of a suggestion that is shown, and those that it hides: their places, and their cosines with it."""

    place: int
    hides: list[tuple[int, float]]


def deduplicate(embeddings: np.ndarray, threshold: float) -> list[Shown]:
    """Which of a list's suggestions to show, from the rows (n, E) of length 1 in the list's order.

    >>> deduplicate(np.array([[1.0, 0], [0, 1], [0.8, 0.6]]), threshold=0.7)
    [Shown(place=0, hides=[(2, 0.8)]), Shown(place=1, hides=[])]
    """
    cosines = embeddings @ embeddings.T
    shown: list[Shown] = []
    for place in range(len(embeddings)):
        with_shown = cosines[place, [kept.place for kept in shown]]
        if len(shown) and with_shown.max() >= threshold:
            shown[with_shown.argmax()].hides.append((place, float(with_shown.max())))
        else:
            shown.append(Shown(place, []))
    return shown
