import numpy as np

from minitransformer.ops.squared_error import squared_error_backward, squared_error_forward


def test_numbers_worked_out_by_hand():
    losses, cache = squared_error_forward(np.array([3.0, -1]), np.array([1.0, 2]))
    assert losses.tolist() == [4, 9]
    assert squared_error_backward(np.array([1.0, 0.5]), cache).tolist() == [4, -3]
