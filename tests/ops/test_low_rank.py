import numpy as np

from minitransformer.ops.linear import linear_forward
from minitransformer.ops.low_rank import low_rank_backward, low_rank_forward


def test_a_rank_of_one_worked_out_by_hand():
    """One row, three inputs, rank 1, two outputs, scale 2: x A = 1 * 1 + 2 * 0 + 3 * 2 = 7, so y = 2 * 7 * [1, -1].

    Back, with dy = [1, 3]: dz = 1 * 1 + 3 * -1 = -2, so dx = 2 * -2 * A^T and dA = 2 * -2 * x^T; dB = 2 * 7 * dy.
    """
    x, a, b = np.array([[1.0, 2, 3]]), np.array([[1.0], [0], [2]]), np.array([[1.0, -1]])
    y, cache = low_rank_forward(x, a, b, 2.0)
    np.testing.assert_array_equal(y, [[14, -14]])
    dx, da, db = low_rank_backward(np.array([[1.0, 3]]), cache)
    np.testing.assert_array_equal(dx, [[-4, 0, -8]])
    np.testing.assert_array_equal(da, [[-4], [-8], [-12]])
    np.testing.assert_array_equal(db, [[14, 42]])


def test_it_is_the_linear_map_of_the_product_of_its_matrices():
    rng = np.random.default_rng(0)
    x, a, b = rng.normal(size=(4, 7)), rng.normal(size=(7, 2)), rng.normal(size=(2, 3))
    expected, _ = linear_forward(x, 0.5 * a @ b, np.zeros(3))
    np.testing.assert_allclose(low_rank_forward(x, a, b, 0.5)[0], expected)


def test_where_b_is_zero_the_first_step_changes_b_alone():
    rng = np.random.default_rng(0)
    y, cache = low_rank_forward(rng.normal(size=(4, 7)), rng.normal(size=(7, 2)), np.zeros((2, 3)), 0.5)
    dx, da, db = low_rank_backward(rng.normal(size=(4, 3)), cache)
    assert not y.any()
    assert not dx.any()
    assert not da.any()
    assert db.all()
