import math

import numpy as np
import pytest

from minitransformer.evaluation.classification import classification_metrics, multi_label_metrics, prediction_metrics


def test_of_single_labels_the_largest_score_is_the_answer():
    """Right in 3 of 4. F1 of class 0: 2*1/(1+2), of class 1: 2*2/(3+2)."""
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
    found = prediction_metrics("single_label_classification", scores, np.array([0, 1, 1, 1]))
    assert found._asdict() == pytest.approx(
        {"accuracy": 3 / 4, "macro_f1": (2 / 3 + 4 / 5) / 2, "matthews": 1 / np.sqrt(3)}
    )


def test_of_several_labels_those_above_one_half_are_the_answer():
    """The first text is wholly right, the second lacks its label: F1 1 and 0, micro 2*1/(2+1)."""
    scores = np.array([[0.9, 0.5], [0.1, 0.4]])
    found = prediction_metrics("multi_label_classification", scores, np.array([[True, False], [False, True]]))
    assert found._asdict() == pytest.approx({"macro_f1": 1 / 2, "micro_f1": 2 / 3, "accuracy": 1 / 2})
    assert next(iter(found._asdict())) == "macro_f1"


def test_of_a_regression_correlations_and_the_error():
    """Differences 1, 1 and 2: mean square 2; the ranks 1, 2, 3 against 2, 1, 3: Spearman 1/2."""
    found = prediction_metrics("regression", np.array([[2.0], [1.0], [5.0]]), np.array([[1.0], [2.0], [3.0]]))
    assert found.spearman == pytest.approx(50)
    assert found.mean_squared_error == pytest.approx(2)
    assert found.pearson == pytest.approx(100 * np.corrcoef([2, 1, 5], [1, 2, 3])[0, 1])
    assert next(iter(found._asdict())) == "spearman"


def test_two_classes_worked_out_by_hand():
    """3 true positives, 1 false positive, 2 false negatives, 4 true negatives.

    F1 is 6/9 for class 1 and 8/11 for class 0; Matthews is (3*4 - 1*2) / sqrt(4 * 5 * 5 * 6).
    """
    labels = np.array([1] * 5 + [0] * 5)
    predicted = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    metrics = classification_metrics(labels, predicted)
    assert metrics.accuracy == 0.7
    assert math.isclose(metrics.macro_f1, (6 / 9 + 8 / 11) / 2)
    assert math.isclose(metrics.matthews, 10 / math.sqrt(600))


def test_always_the_larger_class_is_accurate_and_worth_nothing():
    metrics = classification_metrics(np.array([0] * 9 + [1]), np.zeros(10, int))
    assert metrics.accuracy == 0.9
    assert metrics.matthews == 0
    assert math.isclose(metrics.macro_f1, 18 / 19 / 2)


def test_all_right_is_1_and_a_class_that_never_occurs_counts_for_nothing():
    assert classification_metrics(np.array([0, 4, 2]), np.array([0, 4, 2])) == (1, 1, 1)


def test_several_classes_a_text_worked_out_by_hand():
    """Class 0: 1 right, 1 missed; class 1: 1 right, 1 too many; class 2 nowhere."""
    labels = np.array([[1, 0, 0], [1, 1, 0]])
    predicted = np.array([[0, 1, 0], [1, 1, 0]])
    metrics = multi_label_metrics(labels, predicted)
    assert metrics.accuracy == 0.5
    assert math.isclose(metrics.macro_f1, (2 / 3 + 2 / 3 + 0) / 3)
    assert math.isclose(metrics.micro_f1, 4 / 6)
