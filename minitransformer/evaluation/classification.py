"""How good a classifier is: the measures that suit its problem."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.evaluation.classification_metrics import classification_metrics, multi_label_metrics
from minitransformer.evaluation.correlation import pearson, spearman


class RegressionMetrics(NamedTuple):
    """Correlations of predicted and true numbers times 100, and the mean of the squared differences."""

    spearman: float
    pearson: float
    mean_squared_error: float


def prediction_metrics(problem_type: str, predictions: np.ndarray, targets: np.ndarray) -> Any:
    """Accuracy, macro F1 and so on, or correlations; the most important one comes first.

    predictions (n, K) are probabilities or logits (single label), probabilities (multi-label) or numbers (regression);
    targets are classes (n,), labels (n, K) or numbers (n, K) respectively.
    """
    if problem_type == "single_label_classification":
        return classification_metrics(targets, predictions.argmax(axis=1))
    if problem_type == "multi_label_classification":
        return multi_label_metrics(targets, predictions > 0.5)
    predicted, true = predictions.ravel(), targets.ravel()
    error = float(((predicted - true) ** 2).mean())
    return RegressionMetrics(100 * spearman(predicted, true), 100 * pearson(predicted, true), error)
