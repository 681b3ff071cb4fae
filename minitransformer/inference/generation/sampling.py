"""Sampling: a token by chance, with the model's probabilities, sharpened or flattened, and without the unlikely ones.

    p = softmax(logits / temperature)

A temperature below 1 makes likely tokens likelier (towards 0 only the best is left), one above 1 makes all more alike.
Then what is improbable may be cut off and p scaled up again: after the k most probable tokens (top-k: Fan et al. 2018,
arXiv 1805.04833, section 5), or after as few of the most probable ones as reach the probability p together (top-p:
Holtzman et al. 2020, arXiv 1904.09751, section 3.1). They come in this order, as in transformers.
"""

import numpy as np

from minitransformer.ops.softmax import softmax_forward

NEVER = -np.inf  # a score whose probability is 0


def sampling_probabilities(
    logits: np.ndarray, temperature: float, top_k: int | None = None, top_p: float | None = None
) -> np.ndarray:
    """The probabilities (S, V), in float64, that the next tokens of S texts are drawn with, for logits (S, V).

    The highest logit is subtracted first, so that no temperature is too small: 0 / T stays 0, and what is below it may
    become -infinity.
    """
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        scores /= temperature
    if top_k is not None:
        scores = keep_top_k(scores, top_k)
    if top_p is not None:
        scores = keep_top_p(scores, top_p)
    return softmax_forward(scores)[0]


def keep_top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """scores (S, V), but NEVER where k others of the row are higher. All that equal the k-th highest are kept."""
    if k >= scores.shape[1]:
        return scores
    kth_highest = np.partition(scores, -k, axis=1)[:, -k, None]
    return np.where(scores < kth_highest, NEVER, scores)


def keep_top_p(scores: np.ndarray, p: float) -> np.ndarray:
    """scores (S, V), but NEVER for the least probable tokens that have 1 - p or less together; the best is kept."""
    order = np.argsort(scores, axis=1, kind="stable")
    ascending = np.take_along_axis(scores, order, axis=1)
    probabilities, _ = softmax_forward(ascending)
    is_dropped = np.cumsum(probabilities, axis=1) <= 1 - p
    is_dropped[:, -1] = False
    kept = np.empty_like(scores)
    np.put_along_axis(kept, order, np.where(is_dropped, NEVER, ascending), axis=1)
    return kept


def draw(probabilities: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """An id (S,) for each row of probabilities (S, V): where its running sum passes uniform (S,), from 0 to below 1."""
    sums = np.cumsum(probabilities, axis=1)
    return (sums <= uniform[:, None] * sums[:, -1:]).sum(axis=1)
