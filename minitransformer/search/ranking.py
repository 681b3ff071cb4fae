"""Which products a query finds and in which order, from the cosine and the BM25 score of each.

The steps are those of the lecture's system (Xie et al. 2022, arXiv 2209.05555, figure 7): candidates by meaning and by
words, a threshold, a list of allowed categories, and one ranked list. (Filters, such as what is in stock, come before.)
"""

import numpy as np

from minitransformer.search.fusion import fuse

CANDIDATES = 1000  # the best by meaning and the best by words, from which a page is chosen, whatever its size
MIN_COSINE = 0.2  # of a product that has no word of the query
TOP_OF_CATEGORIES = 10  # the best products, whose categories those without a word of the query must have
NO_CATEGORY = -1


def rank(
    cosines: np.ndarray | None, word_scores: np.ndarray, categories: np.ndarray, meaning: float
) -> tuple[np.ndarray, np.ndarray]:
    """The places (k,) of the products that are found among n, the best first, and their scores (k,).

    cosines       (n,) of products and query; -1 for one without embedding; None if only words count
    word_scores   (n,) BM25; 0 for a product that has no word of the query
    categories    (n,) a number for each category, or NO_CATEGORY
    meaning       how much the cosines count, from 0 (not at all) to 1 (nothing else does)
    """
    has_word = word_scores > 0
    if cosines is None:
        cosines = np.zeros(len(word_scores), np.float32)
    is_near = np.zeros(len(cosines), bool)
    is_near[largest(cosines, CANDIDATES)] = True
    is_near &= cosines >= MIN_COSINE
    places = np.flatnonzero(has_word | is_near)
    scores = fuse(cosines[places], word_scores[places], meaning)
    order = np.argsort(-scores, kind="stable")
    places, scores = places[order], scores[order]
    allowed = {*categories[places[:TOP_OF_CATEGORIES]].tolist(), NO_CATEGORY}
    kept = has_word[places] | np.isin(categories[places], list(allowed))
    return places[kept], scores[kept]


def largest(numbers: np.ndarray, count: int) -> np.ndarray:
    """The places of the `count` largest of n numbers, or of all, in any order."""
    if len(numbers) <= count:
        return np.arange(len(numbers))
    return np.argpartition(-numbers, count)[:count]
