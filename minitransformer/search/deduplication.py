"""Suggestions that mean the same are shown once.

Going down the list, a suggestion is hidden if its cosine with one that is shown above it reaches a threshold (Xie et
al. 2022, arXiv 2209.05555, section 8): "cheese slices" hides "sliced cheese". The embeddings are those of queries,
computed when the index was made. How well it works depends on the model: one that isn't trained on searches also takes
"milk chocolate" for "chocolate milk". So one may ask for more: that the two also find the same products.

    overlap = products that both find / products that the one with more of them finds
"""

from collections.abc import Callable, Collection, Set
from typing import NamedTuple

import numpy as np

Products = Callable[[int], Set[int]]  # the place of a suggestion: the first products that it finds


class Same(NamedTuple):
    """The place of a suggestion that is hidden, and its cosine and overlap with the one that hides it.

    The overlap is None if it wasn't asked for.
    """

    place: int
    cosine: float
    overlap: float | None = None


class Shown(NamedTuple):
    """The place of a suggestion that is shown, and those that it hides."""

    place: int
    hides: list[Same]


def deduplicate(
    embeddings: np.ndarray, threshold: float, min_overlap: float = 0, products: Products | None = None
) -> list[Shown]:
    """Which of a list's suggestions to show, from the rows (n, E) of length 1 in the list's order.

    min_overlap    that two need besides the cosine; it takes `products` if it is above 0

    >>> deduplicate(np.array([[1.0, 0], [0, 1], [0.8, 0.6]]), threshold=0.7)
    [Shown(place=0, hides=[Same(place=2, cosine=0.8, overlap=None)]), Shown(place=1, hides=[])]
    """
    cosines = embeddings @ embeddings.T
    shown: list[Shown] = []
    for place in range(len(embeddings)):
        near = [kept for kept in shown if cosines[place, kept.place] >= threshold]
        for kept in sorted(near, key=lambda kept: -cosines[place, kept.place]):
            overlap = overlap_of(products(place), products(kept.place)) if products and min_overlap > 0 else None
            if overlap is None or overlap >= min_overlap:
                kept.hides.append(Same(place, float(cosines[place, kept.place]), overlap))
                break
        else:
            shown.append(Shown(place, []))
    return shown


def overlap_of(first: Collection[int], second: Collection[int]) -> float:
    """
    >>> overlap_of([1, 2, 3, 4], [2, 4])
    0.5
    """
    return len({*first} & {*second}) / max(len(first), len(second), 1)
