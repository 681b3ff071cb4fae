"""The logistic regression, SentEval's protocol and the metrics against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from sklearn.model_selection import StratifiedKFold

from minitransformer.evaluation.classification import classification_metrics, multi_label_metrics
from minitransformer.evaluation.logistic_regression import fit_logistic_regression, principal_axes
from minitransformer.evaluation.senteval import C_CHOICES, Probe
from minitransformer.ops.softmax import softmax_forward


def draw(num_classes, n=150, size=8):
    rng = np.random.default_rng(num_classes)
    x = rng.normal(size=(n, size)) * np.geomspace(3, 0.1, size)
    scores = x @ rng.normal(size=(size, num_classes)) + 4 * rng.normal(size=(n, num_classes))
    return x + rng.normal(size=size), scores.argmax(axis=1)


def scikit_learns(c):
    return LogisticRegression(C=c, tol=1e-8, max_iter=10_000)


@pytest.mark.parametrize("num_classes", [2, 6])
@pytest.mark.parametrize("c", [0.25, 8.0])
@pytest.mark.parametrize("rotate", [False, True])
def test_the_probabilities_equal_scikit_learns(num_classes, c, rotate):
    x, labels = draw(num_classes)
    expected = scikit_learns(c).fit(x, labels).predict_proba(x)
    features = principal_axes(x) if rotate else x
    found, _ = softmax_forward(fit_logistic_regression(features, labels, num_classes, c).logits(features))
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("num_classes", [2, 6])
def test_the_folds_equal_scikit_learns(num_classes):
    _, labels = draw(num_classes)
    rows = np.arange(20, 150)
    names = np.array(["f", "c", "a", "b", "e", "d"])[labels]
    for (fit, test), split in zip(
        StratifiedKFold(10, shuffle=True, random_state=1111).split(rows, names[rows]),
        Probe(np.zeros((150, 1)), names).folds(rows),
        strict=True,
    ):
        assert split.fit.tolist() == rows[fit].tolist()
        assert split.test.tolist() == rows[test].tolist()


def test_the_penalty_chosen_and_the_accuracy_of_a_fold_equal_scikit_learns():
    x, labels = draw(2)
    probe, folds = Probe(x, labels), StratifiedKFold(10, shuffle=True, random_state=1111)
    fit, test = next(folds.split(x, labels))
    inner = [
        [scikit_learns(c).fit(x[fit][a], labels[fit][a]).score(x[fit][b], labels[fit][b]) for c in C_CHOICES]
        for a, b in folds.split(x[fit], labels[fit])
    ]
    best = C_CHOICES[int(np.mean(inner, axis=0).argmax())]
    split = probe.folds(np.arange(len(x)))[0]
    assert probe.best_c(probe.folds(split.fit)) == best
    assert probe.accuracy(split, best) == scikit_learns(best).fit(x[fit], labels[fit]).score(x[test], labels[test])


def test_metrics_equal_scikit_learns():
    rng = np.random.default_rng(1)
    labels, predicted = rng.integers(0, 5, (2, 60))
    predicted[labels == 3] = 3
    assert classification_metrics(labels, predicted) == pytest.approx(
        (
            accuracy_score(labels, predicted),
            f1_score(labels, predicted, average="macro"),
            matthews_corrcoef(labels, predicted),
        )
    )
    labels, predicted = rng.random((2, 60, 5)) < 0.3
    assert multi_label_metrics(labels, predicted) == pytest.approx(
        (
            f1_score(labels, predicted, average="macro"),
            f1_score(labels, predicted, average="micro"),
            accuracy_score(labels, predicted),
        )
    )
