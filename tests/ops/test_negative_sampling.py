import numpy as np
import pytest

from minitransformer.ops.negative_sampling import negative_sampling_backward, negative_sampling_forward


def test_a_pair_by_hand():
    """v = (1, 2), u = (3, -1), so s = 1; the one negative (0, -1) has s' = -2.

    loss = log(1 + e^-1) + log(1 + e^-2) = 0.3133 + 0.1269. sigmoid(-1) = 0.2689, sigmoid(-2) = 0.1192:
    dv = -0.2689 u + 0.1192 (0, -1), du = -0.2689 v, du' = 0.1192 v.
    """
    v, u, negatives = np.array([[1.0, 2]]), np.array([[3.0, -1]]), np.array([[[0.0, -1]]])
    losses, cache = negative_sampling_forward(v, u, negatives)
    dv, du, dnegatives = negative_sampling_backward(np.ones(1), cache)
    assert losses == pytest.approx([0.31326 + 0.12693], abs=1e-5)
    np.testing.assert_allclose(dv, [[-0.80682, 0.26894 - 0.11920]], atol=1e-5)
    np.testing.assert_allclose(du, [[-0.26894, -0.53788]], atol=1e-5)
    np.testing.assert_allclose(dnegatives, [[[0.11920, 0.23841]]], atol=1e-5)


def test_without_any_preference_each_of_the_scores_costs_log_2():
    losses, _ = negative_sampling_forward(np.zeros((3, 4)), np.ones((3, 4)), np.ones((3, 5, 4)))
    np.testing.assert_allclose(losses, 6 * np.log(2))


def test_scores_far_from_0_neither_overflow_nor_vanish():
    v, u, negatives = np.full((1, 1), 100.0), np.full((1, 1), -100.0), np.full((1, 1, 1), 100.0)
    losses, cache = negative_sampling_forward(v, u, negatives)
    np.testing.assert_allclose(losses, [20_000])
    np.testing.assert_allclose(negative_sampling_backward(np.ones(1), cache)[0], [[200]])
