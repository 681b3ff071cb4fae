import math

import numpy as np
import pytest

from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_backward, binary_cross_entropy_forward


def test_elements_worked_out_by_hand():
    """The logit log 3 is the probability 3/4. Against 1 it costs log 4/3, against 0 log 4, against 1/2 their mean;

    the slopes p - t are -1/4, 3/4 and 1/4.
    """
    losses, cache = binary_cross_entropy_forward(np.full(3, math.log(3)), np.array([1, 0, 0.5]))
    np.testing.assert_allclose(losses, [math.log(4 / 3), math.log(4), math.log(16 / 3) / 2], rtol=1e-14)
    np.testing.assert_allclose(binary_cross_entropy_backward(np.ones(3), cache), [-1 / 4, 3 / 4, 1 / 4], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_cost_their_size_when_wrong_and_nothing_when_right(dtype):
    logits = np.array([5000, -5000, 5000, -5000], dtype)
    losses, cache = binary_cross_entropy_forward(logits, np.array([0, 1, 1, 0], dtype))
    np.testing.assert_array_equal(losses, [5000, 5000, 0, 0])
    np.testing.assert_array_equal(binary_cross_entropy_backward(np.ones(4, dtype), cache), [1, -1, 0, 0])


def test_small_losses_keep_their_digits():
    """log(1 + exp(-40)) is exp(-40) = 4.2e-18; computed as log(p) it would be 0."""
    losses, _ = binary_cross_entropy_forward(np.array([40.0]), np.array([1.0]))
    np.testing.assert_allclose(losses, [math.exp(-40)], rtol=1e-14)


def test_a_probability_as_target_costs_least_where_the_logit_says_just_that():
    _, cache = binary_cross_entropy_forward(np.array([math.log(0.3 / 0.7)]), np.array([0.3]))
    np.testing.assert_allclose(binary_cross_entropy_backward(np.ones(1), cache), [0], atol=1e-15)
