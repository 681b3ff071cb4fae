"""How good a classifier is: the measures that suit its problem."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.evaluation.correlation import pearson, spearman


class ClassificationMetrics(NamedTuple):
    """For one class per text.

    accuracy  share of right answers
    macro_f1  the mean of the classes' F1, so that a rare class counts as much as a frequent one
    matthews  the correlation of answer and truth, from -1 to 1; 0 for guessing, however unequal the classes' sizes
    """

    accuracy: float
    macro_f1: float
    matthews: float


class MultiLabelMetrics(NamedTuple):
    """For any number of classes per text.

    macro_f1  the mean of the classes' F1
    micro_f1  the F1 of all decisions of all classes together
    accuracy  share of texts with exactly the right classes
    """

    macro_f1: float
    micro_f1: float
    accuracy: float


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


def classification_metrics(labels: np.ndarray, predicted: np.ndarray) -> ClassificationMetrics:
    """Metrics of the predicted classes (n,) against the true labels (n,). Classes that occur in neither don't count."""
    classes, numbers = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
    confusion = np.zeros((len(classes), len(classes)))  # row: the true class, column: the predicted one
    np.add.at(confusion, (numbers[: len(labels)], numbers[len(labels) :]), 1)
    right, true, answered = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassificationMetrics(
        accuracy=float(right.sum() / len(labels)),
        macro_f1=float(_f1(right, true, answered).mean()),
        matthews=_matthews(right.sum(), true, answered),
    )


def multi_label_metrics(labels: np.ndarray, predicted: np.ndarray) -> MultiLabelMetrics:
    """Metrics of predicted (n, K) against the true labels (n, K), both True where a text has a class."""
    labels, predicted = labels.astype(bool), predicted.astype(bool)
    right, true, answered = (labels & predicted).sum(axis=0), labels.sum(axis=0), predicted.sum(axis=0)
    return MultiLabelMetrics(
        macro_f1=float(_f1(right, true, answered).mean()),
        micro_f1=float(_f1(right.sum(), true.sum(), answered.sum())),
        accuracy=float((labels == predicted).all(axis=1).mean()),
    )


def _f1(right: np.ndarray, true: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """2 / (1/precision + 1/recall) = 2 right / (true + answered); 0 for a class that occurs in neither."""
    return 2 * right / np.maximum(true + answered, 1)


def _matthews(right: float, true: np.ndarray, answered: np.ndarray) -> float:
    """Matthews' correlation for any number of classes (Gorodkin 2004, "Comparing two K-category assignments").

    n right - true . answered is n^2 times the covariance of truth and answer as one-hot rows. The result is 0 if either
    is constant.
    """
    n = true.sum()
    variances = (n * n - true @ true) * (n * n - answered @ answered)
    return float((n * right - true @ answered) / np.sqrt(variances)) if variances > 0 else 0.0
