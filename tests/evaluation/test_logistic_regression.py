import math

import numpy as np
import pytest

from minitransformer.evaluation.logistic_regression import fit_logistic_regression, principal_axes
from minitransformer.ops.softmax import softmax_forward
from tests.gradient_check import numerical_gradient


def draw(num_classes, n=60, size=5):
    """Features of very different variances, and labels that follow them with some noise."""
    rng = np.random.default_rng(num_classes)
    x = rng.normal(size=(n, size)) * [10, 1, 1, 0.1, 0.01] + [3, 0, -2, 0, 0]
    labels = (x @ rng.normal(size=(size, num_classes)) + rng.normal(size=(n, num_classes))).argmax(axis=1)
    return x, labels


def probabilities(regression, x):
    return softmax_forward(regression.logits(x))[0]


def loss(regression, x, labels, c):
    penalty = (regression.weight**2).sum() / (2 * c * len(x))
    return penalty - np.log(probabilities(regression, x)[np.arange(len(x)), labels]).mean()


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("c", [0.25, 8])
def test_the_loss_has_no_slope_where_it_stops(num_classes, c):
    x, labels = draw(num_classes)
    regression = fit_logistic_regression(x, labels, num_classes, c)
    for parameter in regression:
        slope = numerical_gradient(lambda: np.asarray(loss(regression, x, labels, c)), parameter, np.ones(()))
        np.testing.assert_allclose(slope, 0, atol=1e-3)


def test_without_features_the_bias_gives_the_classes_their_shares():
    labels = np.array([0] * 6 + [1] * 3 + [2] * 1)
    regression = fit_logistic_regression(np.zeros((10, 1)), labels, 3, c=1.0)
    np.testing.assert_allclose(probabilities(regression, np.zeros((1, 1))), [[0.6, 0.3, 0.1]], atol=1e-3)


def test_two_classes_on_one_feature_worked_out_by_hand():
    """x = 1 for label 1 and -1 for label 0: b = 0 by symmetry, and w is where its slope is 0,

    w / (2 C) = 1 / (1 + exp(w)), which w = 1 solves for C = (1 + e) / 2
    """
    regression = fit_logistic_regression(np.array([[1.0], [-1]]), np.array([1, 0]), 2, c=(1 + math.e) / 2)
    np.testing.assert_allclose(regression.weight, [[1]], atol=1e-4)
    np.testing.assert_allclose(regression.bias, [0], atol=1e-4)


def test_a_stronger_penalty_gives_smaller_weights():
    x, labels = draw(3)
    sizes = [np.linalg.norm(fit_logistic_regression(x, labels, 3, c).weight) for c in (0.01, 1, 100)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_on_principal_axes_the_features_are_uncorrelated_and_the_predictions_the_same(num_classes):
    x, labels = draw(num_classes)
    rotated = principal_axes(x)
    covariance = rotated.T @ rotated
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    before = probabilities(fit_logistic_regression(x[:40], labels[:40], num_classes, c=1.0), x)
    after = probabilities(fit_logistic_regression(rotated[:40], labels[:40], num_classes, c=1.0), rotated)
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_float32_features_give_float32_weights_and_the_same_answers():
    x, labels = draw(3)
    regression = fit_logistic_regression(x.astype(np.float32), labels, 3, c=1.0)
    assert regression.weight.dtype == np.float32
    exact = fit_logistic_regression(x, labels, 3, c=1.0)
    assert (regression.predict(x.astype(np.float32)) == exact.predict(x)).mean() > 0.98
