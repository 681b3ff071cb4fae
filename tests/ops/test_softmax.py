import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitransformer.ops.softmax import softmax_backward, softmax_forward

scores = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(-1e30, 1e30))


def test_a_row_worked_out_by_hand():
    """exp turns 0, log 2, log 5 into 1, 2, 5, which add up to 8. Back, with dy = (8, 0, 0): sum_j dy_j y_j = 1, so

    dx = y (dy - 1) = (1/8 * 7, -2/8, -5/8)
    """
    y, cache = softmax_forward(np.array([0, math.log(2), math.log(5)]))
    np.testing.assert_allclose(y, [1 / 8, 2 / 8, 5 / 8], rtol=1e-15)
    np.testing.assert_allclose(softmax_backward(np.array([8.0, 0, 0]), cache), [7 / 8, -2 / 8, -5 / 8], rtol=1e-14)


@given(scores)
def test_whatever_the_scores_the_probabilities_add_up_to_1(x):
    y, _ = softmax_forward(x)
    assert (y >= 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-14)


@given(st.integers(-1000, 1000))
def test_a_constant_added_to_a_row_changes_nothing(constant):
    x = np.array([[1.0, -2, 0.5], [3, 3, 3]])
    np.testing.assert_allclose(softmax_forward(x + constant)[0], softmax_forward(x)[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_neither_overflow_nor_lose_the_winner(dtype):
    y, cache = softmax_forward(np.array([[588, -20], [1e30, 1e30], [-1e30, -1e30]], dtype))
    np.testing.assert_allclose(y, [[1, 0], [0.5, 0.5], [0.5, 0.5]], atol=1e-30)
    assert np.isfinite(softmax_backward(np.ones_like(y), cache)).all()


def test_a_gradient_that_is_the_same_for_all_elements_has_no_effect():
    """The row adds up to 1 whatever x is. (This is why a check with dy = 1 would prove nothing.)"""
    y, cache = softmax_forward(np.random.default_rng(1).normal(size=(3, 5)))
    np.testing.assert_allclose(softmax_backward(np.full_like(y, 3.0), cache), 0, atol=1e-15)
