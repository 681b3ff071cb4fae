import math

import numpy as np

from minitransformer.ops.tanh import tanh_backward, tanh_forward


def test_a_value_and_its_slope_worked_out_by_hand():
    """tanh(log 2) = (2 - 1/2) / (2 + 1/2) = 3/5, and the slope there is 1 - 9/25 = 16/25."""
    y, cache = tanh_forward(np.array([math.log(2)]))
    np.testing.assert_allclose(y, [0.6], rtol=1e-15)
    np.testing.assert_allclose(tanh_backward(np.array([25.0]), cache), [16], rtol=1e-14)


def test_far_from_zero_the_slope_is_0():
    y, cache = tanh_forward(np.array([-1e4, 1e4]))
    np.testing.assert_array_equal(y, [-1, 1])
    np.testing.assert_array_equal(tanh_backward(np.ones(2), cache), [0, 0])
