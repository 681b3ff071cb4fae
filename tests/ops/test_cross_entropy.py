import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_forward
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward


def test_a_row_worked_out_by_hand():
    """exp turns 0, log 2, log 5 into probabilities 1/8, 2/8, 5/8. The true class 1 costs -log(2/8) = log 4, and

    dlogits = p - (0, 1, 0) = (1/8, -6/8, 5/8)
    """
    losses, cache = cross_entropy_forward(np.array([[0, math.log(2), math.log(5)]]), np.array([1]))
    np.testing.assert_allclose(losses, [math.log(4)], rtol=1e-15)
    np.testing.assert_allclose(cross_entropy_backward(np.array([1.0]), cache), [[1 / 8, -6 / 8, 5 / 8]], rtol=1e-14)


def test_knowing_nothing_about_v_classes_costs_log_v():
    losses, _ = cross_entropy_forward(np.full((3, 11), -4.0), np.array([0, 5, 10]))
    np.testing.assert_allclose(losses, math.log(11), rtol=1e-15)


def test_every_row_of_the_gradient_adds_up_to_0():
    logits = np.random.default_rng(1).normal(size=(4, 7))
    _, cache = cross_entropy_forward(logits, np.array([0, 6, 3, 3]))
    dlogits = cross_entropy_backward(np.array([1.0, -2, 0.5, 3]), cache)
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_being_sure_and_wrong_costs_the_difference_of_the_logits_however_large(dtype):
    """-log of the probability itself would be -log 0; log-sum-exp stays exact."""
    losses, cache = cross_entropy_forward(np.array([[5000, 0], [0, 5000]], dtype), np.array([1, 1]))
    np.testing.assert_array_equal(losses, [5000, 0])
    np.testing.assert_array_equal(cross_entropy_backward(np.ones(2, dtype), cache), [[1, -1], [0, 0]])


@given(st.floats(-50, 50), st.integers(0, 1))
def test_over_two_classes_it_is_the_binary_cross_entropy_of_the_difference(z, label):
    softmax_loss, _ = cross_entropy_forward(np.array([[0, z]]), np.array([label]))
    sigmoid_loss, _ = binary_cross_entropy_forward(np.array([z]), np.array([float(label)]))
    np.testing.assert_allclose(softmax_loss, sigmoid_loss, rtol=1e-12, atol=1e-15)


def test_more_rows_than_a_block_has_give_what_they_give_a_few_at_a_time():
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(600, 500)), rng.integers(0, 500, 600)
    losses, cache = cross_entropy_forward(logits, labels)
    for rows in np.split(np.arange(600), 3):
        part, part_cache = cross_entropy_forward(logits[rows], labels[rows])
        np.testing.assert_allclose(losses[rows], part, rtol=1e-14)
        np.testing.assert_allclose(cache.probabilities[rows], part_cache.probabilities, rtol=1e-13)


def test_no_rows_give_no_losses_and_no_gradient():
    losses, cache = cross_entropy_forward(np.zeros((0, 5)), np.zeros(0, int))
    assert losses.shape == (0,)
    assert cross_entropy_backward(losses, cache).shape == (0, 5)
