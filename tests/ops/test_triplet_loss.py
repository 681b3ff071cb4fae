import numpy as np
import pytest

from minitransformer.ops.triplet_loss import triplet_loss_backward, triplet_loss_forward


def test_a_triplet_worked_out_by_hand():
    """a = (0, 0), p = (3, 4), n = (0, 2): |a - p| = 5, |a - n| = 2, so with margin 1 the loss is 5 - 2 + 1 = 4.

    from_p = -(3, 4) / 5, from_n = -(0, 1), so for dloss = 2:
    da = 2 (from_p - from_n) = (-6/5, 2/5),  dp = -2 from_p = (6/5, 8/5),  dn = 2 from_n = (0, -2)
    """
    a, p, n = (np.array([row], float) for row in ((0, 0), (3, 4), (0, 2)))
    losses, cache = triplet_loss_forward(a, p, n, margin=1.0)
    assert losses.tolist() == [4]
    da, dp, dn = triplet_loss_backward(np.array([2.0]), cache)
    np.testing.assert_allclose(da, [[-6 / 5, 2 / 5]], rtol=1e-14)
    np.testing.assert_allclose(dp, [[6 / 5, 8 / 5]], rtol=1e-14)
    np.testing.assert_allclose(dn, [[0, -2]], atol=1e-16)


def test_a_triplet_that_is_far_enough_apart_costs_nothing_and_moves_nothing():
    """With the signs of the distances swapped, this would be the triplet that costs most."""
    a, p, n = (np.array([row], float) for row in ((0, 0), (0, 1), (0, 9)))
    losses, cache = triplet_loss_forward(a, p, n, margin=1.0)
    assert losses.tolist() == [0]
    assert not any(gradient.any() for gradient in triplet_loss_backward(np.ones(1), cache))


def test_moving_all_three_together_changes_nothing():
    anchors, positives, negatives = np.random.default_rng(6).normal(size=(3, 5, 4))
    _, cache = triplet_loss_forward(anchors, positives, negatives, margin=1.0)
    gradients = triplet_loss_backward(np.random.default_rng(7).normal(size=5), cache)
    np.testing.assert_allclose(sum(gradients), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_vectors_have_finite_gradients(dtype):
    a = np.ones((2, 3), dtype)
    losses, cache = triplet_loss_forward(a, a, np.zeros((2, 3), dtype), margin=2.0)
    np.testing.assert_allclose(losses, 2 - np.sqrt(3), rtol=1e-6)
    _, d_positives, d_negatives = triplet_loss_backward(np.ones(2, dtype), cache)
    assert not d_positives.any()
    np.testing.assert_allclose(d_negatives, 3**-0.5, rtol=1e-6)
