"""Do predicted and true numbers rise and fall together? Pearson's and Spearman's correlation, from -1 to 1."""

import numpy as np


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of x and y (n,): 1 if the points are on a rising line. nan if either is constant."""
    x, y = (np.asarray(values, float) for values in (x, y))
    if is_constant(x) or is_constant(y):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's correlation of x and y (n,): Pearson's of their ranks. nan if either is constant.

    Equal numbers share the mean of their ranks, so the order of the data doesn't matter.
    """
    from scipy.stats import rankdata

    return pearson(rankdata(x), rankdata(y))


def is_constant(x: np.ndarray) -> bool:
    """Whether all numbers are equal (so that nothing can rise or fall), or there are none."""
    return len(x) == 0 or bool(np.ptp(x) == 0)
