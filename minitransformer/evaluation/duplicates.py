"""How well the cosine of two suggestions tells whether they mean the same, on pairs that people labelled."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.randomness import generator

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99)


class DuplicateScores(NamedTuple):
    """With the threshold, the share of the pairs taken for duplicates that are, and of duplicates that are found.

    The precision is nan if no pair reaches the threshold. f1 is the harmonic mean of the two.
    """

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.recall else 0.0


def score_duplicates(
    cosines: np.ndarray, are_duplicates: Sequence[bool] | np.ndarray, thresholds: Sequence[float]
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


def choose_threshold(cosines: np.ndarray, are_duplicates: Sequence[bool], seed: int = 0) -> DuplicateScores:
    """The threshold with the best F1 for half of the pairs (n,), and the scores that it has for the other half.

    Each half has half of the duplicates, of which there are two at least, and half of the others.
    """
    truth = np.asarray(are_duplicates, bool)
    rng = generator(seed, "half of the pairs", 0)
    chosen_on = np.zeros(len(truth), bool)
    for places in (np.flatnonzero(truth), np.flatnonzero(~truth)):
        chosen_on[rng.permutation(places)[: len(places) // 2]] = True
    best = max(score_duplicates(cosines[chosen_on], truth[chosen_on], THRESHOLDS), key=lambda score: score.f1)
    return score_duplicates(cosines[~chosen_on], truth[~chosen_on], [best.threshold])[0]


def area_under_curve(cosines: np.ndarray, are_duplicates: Sequence[bool]) -> float:
    """The probability that a duplicate has a larger cosine than another pair; 0.5 is chance, and a tie counts half.

    >>> area_under_curve(np.array([0.9, 0.8, 0.7]), [True, False, True])
    0.5
    """
    truth = np.asarray(are_duplicates, bool)
    differences = cosines[truth][:, None] - cosines[~truth]
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))
