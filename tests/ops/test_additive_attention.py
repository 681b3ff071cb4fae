import math

import numpy as np
import pytest

from minitransformer.ops.additive_attention import additive_attention_backward, additive_attention_forward


def test_scores_worked_by_hand():
    """q + k is 0 and atanh(1/2), so with w = ln 9 the scores are 0 and ln 3, and the weights 1/4 and 3/4."""
    q, k, w = np.array([[1.0]]), np.array([[-1.0], [math.atanh(0.5) - 1]]), np.array([math.log(9)])
    y, cache = additive_attention_forward(q, k, np.array([[4.0, 0], [0, 8]]), w, np.array([2]))
    assert cache.weights.ravel() == pytest.approx([0.25, 0.75])
    assert y[0] == pytest.approx([1, 6])


def test_a_query_asks_the_rows_of_its_own_sequence_alone():
    rng = np.random.default_rng(0)
    q, k, v, w = (rng.normal(size=shape) for shape in ((2, 4), (5, 4), (5, 3), 4))
    whole, _ = additive_attention_forward(q, k, v, w, np.array([2, 3]))
    for s, rows in enumerate((slice(2), slice(2, 5))):
        alone, _ = additive_attention_forward(q[[s]], k[rows], v[rows], w, np.array([len(k[rows])]))
        np.testing.assert_allclose(whole[[s]], alone, rtol=1e-12)


def test_of_one_row_everything_is_seen_whatever_its_score():
    y, _ = additive_attention_forward(
        np.zeros((1, 2)), np.ones((1, 2)), np.array([[7.0]]), np.full(2, 1e3), np.ones(1, int)
    )
    assert y == 7


def test_scores_far_from_0_stay_finite():
    q, k, w = np.zeros((1, 1), np.float32), np.array([[-9], [9]], np.float32), np.array([1e4], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        y, _ = additive_attention_forward(q, k, np.array([[1], [2]], np.float32), w, np.array([2]))
    assert y == 2


def test_without_sequences_there_are_no_rows():
    nothing = np.zeros((0, 3))
    y, cache = additive_attention_forward(nothing, nothing, nothing, np.ones(3), np.zeros(0, int))
    assert y.shape == (0, 3)
    assert [gradient.shape for gradient in additive_attention_backward(y, cache)] == [(0, 3)] * 3 + [(3,)]
