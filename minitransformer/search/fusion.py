"""One score from two: how near a product is to a query in meaning, and how well its words match.

    score = m cosine + (1 - m) words / max(words)

The words' BM25 scores have no scale of their own, so the best product that was found has 1. A product that was found in
one list alone has 0 words, or its cosine, which can be computed for any product. Three things follow, and are tested:

- What comes first doesn't depend on how many are asked for: no score depends on a place in a list.
- A product whose cosine or words become better never moves down. (Better words may raise the maximum: then the others'
  share of it falls.)
- Products that no word was found in keep the order of their cosines.
"""

import numpy as np

MEANING = 0.2  # m: how much the cosine counts


def fuse(cosines: np.ndarray, word_scores: np.ndarray, meaning: float = MEANING) -> np.ndarray:
    """The scores (n,) of products with these cosines (n,) and BM25 scores (n,), 0 where no word matches."""
    best = word_scores.max(initial=0)
    return meaning * cosines + (1 - meaning) * (word_scores / best if best else word_scores)
