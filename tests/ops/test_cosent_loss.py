import math

import numpy as np
import pytest
from scipy.special import logsumexp

from minitransformer.ops.cosent_loss import cosent_loss_backward, cosent_loss_forward


def test_two_pairs_worked_out_by_hand():
    """Pair 0 has the higher score and the lower cosine, by 1: with scale log 3 the loss is log(1 + 3), and

    p_01 = 3/4, so dc = log 3 (-3/4, 3/4): less of the loss with c_0 higher or c_1 lower
    """
    loss, cache = cosent_loss_forward(np.array([-0.5, 0.5]), np.array([1.0, 0]), math.log(3))
    np.testing.assert_allclose(loss, math.log(4), rtol=1e-14)
    dcosines = cosent_loss_backward(np.ones(()), cache)
    np.testing.assert_allclose(dcosines, math.log(3) * np.array([-0.75, 0.75]), rtol=1e-14)


def test_it_is_the_log_of_one_plus_the_sum_over_all_ordered_pairs():
    rng = np.random.default_rng(11)
    cosines, scores = rng.uniform(-1, 1, 6), rng.integers(0, 4, 6)
    margins = [20 * (cosines[j] - cosines[i]) for i in range(6) for j in range(6) if scores[i] > scores[j]]
    loss, _ = cosent_loss_forward(cosines, scores, 20.0)
    np.testing.assert_allclose(loss, logsumexp([0, *margins]), rtol=1e-13)


def test_only_the_order_of_the_scores_counts():
    cosines = np.random.default_rng(12).uniform(-1, 1, 5)
    scores = np.array([3.0, 1, 4, 1, 5])
    loss, _ = cosent_loss_forward(cosines, scores, 20.0)
    same_order, _ = cosent_loss_forward(cosines, np.exp(scores), 20.0)
    assert loss == same_order


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_large_scale_neither_overflows_nor_loses_the_gradient(dtype):
    loss, cache = cosent_loss_forward(np.array([-1, 1], dtype), np.array([1, 0]), 1000.0)
    assert loss == 2000
    assert cosent_loss_backward(np.ones((), dtype), cache).tolist() == [-1000, 1000]


def test_equal_scores_and_empty_batches_cost_nothing():
    for cosines in (np.array([0.1, 0.9, -0.3]), np.zeros(0)):
        loss, cache = cosent_loss_forward(cosines, np.ones(len(cosines)), 20.0)
        assert loss == 0
        assert cosent_loss_backward(np.ones(()), cache).tolist() == [0] * len(cosines)
