import numpy as np

from minitransformer.ops.relu import relu_backward, relu_forward

X = np.array([[-2.0, 0, 3], [-0.0, 1e-300, -1e-300]])


def test_the_positive_passes_and_the_rest_becomes_0():
    np.testing.assert_array_equal(relu_forward(X)[0], [[0, 0, 3], [0, 1e-300, 0]])


def test_the_gradient_passes_where_x_was_positive_and_nowhere_else():
    _, cache = relu_forward(X)
    np.testing.assert_array_equal(relu_backward(np.full((2, 3), 5.0), cache), [[0, 0, 5], [0, 5, 0]])
