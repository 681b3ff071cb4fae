import math

import numpy as np

from minitransformer.evaluation.classification_metrics import classification_metrics, multi_label_metrics


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
