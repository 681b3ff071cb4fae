import numpy as np

from minitransformer.ops.linear import linear_backward, linear_forward


def test_a_product_worked_out_by_hand():
    """Two rows, three inputs, two outputs: y_00 = 1 * 1 + 2 * 3 + 3 * 5 + 10 = 32, and so on.

    Back, with dy = [[1, 0], [0, 2]]: row 0 of dx is column 0 of W, row 1 twice column 1; column 0 of dW is row 0 of x,
    column 1 twice row 1; db adds the rows of dy up.
    """
    x = np.array([[1.0, 2, 3], [0, -1, 4]])
    weight = np.array([[1.0, 2], [3, 4], [5, 6]])
    y, cache = linear_forward(x, weight, np.array([10.0, 20]))
    np.testing.assert_array_equal(y, [[32, 48], [27, 40]])
    dx, dweight, dbias = linear_backward(np.array([[1.0, 0], [0, 2]]), cache)
    np.testing.assert_array_equal(dx, [[1, 3, 5], [4, 8, 12]])
    np.testing.assert_array_equal(dweight, [[1, 0], [2, -2], [3, 8]])
    np.testing.assert_array_equal(dbias, [1, 2])


def test_no_rows_give_no_rows_and_no_gradient():
    weight = np.ones((3, 2))
    y, cache = linear_forward(np.zeros((0, 3)), weight, np.ones(2))
    assert y.shape == (0, 2)
    dx, dweight, dbias = linear_backward(y, cache)
    assert dx.shape == (0, 3)
    assert not dweight.any()
    assert not dbias.any()
