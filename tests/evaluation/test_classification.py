import numpy as np
import pytest

from minitransformer.evaluation.classification import prediction_metrics


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
