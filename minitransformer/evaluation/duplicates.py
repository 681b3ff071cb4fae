"""How well the cosine of two suggestions tells whether they mean the same, on pairs that people labelled."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class DuplicateScores(NamedTuple):
    """With the threshold, the share of the pairs taken for duplicates that are, and of duplicates that are found.

    The precision is nan if no pair reaches the threshold.
    """

    threshold: float
    precision: float
    recall: float


def score_duplicates(
    cosines: np.ndarray, are_duplicates: Sequence[bool], thresholds: Sequence[float]
) -> list[DuplicateScores]:
    """Precision and recall for each threshold, of pairs (n,) of which at least one is a duplicate.

    >>> score_duplicates(np.array([0.9, 0.8, 0.7]), [True, False, True], [0.75])
    [DuplicateScores(threshold=0.75, precision=0.5, recall=0.5)]
    """
    truth = np.asarray(are_duplicates, bool)
    scores = []
    for threshold in thresholds:
        taken = cosines >= threshold
        right = float((taken & truth).sum())
        precision = right / taken.sum() if taken.any() else float("nan")
        scores.append(DuplicateScores(threshold, float(precision), right / float(truth.sum())))
    return scores


def area_under_curve(cosines: np.ndarray, are_duplicates: Sequence[bool]) -> float:
    """The probability that a duplicate has a larger cosine than another pair; 0.5 is chance, and a tie counts half.

    >>> area_under_curve(np.array([0.9, 0.8, 0.7]), [True, False, True])
    0.5
    """
    truth = np.asarray(are_duplicates, bool)
    differences = cosines[truth][:, None] - cosines[~truth]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))
