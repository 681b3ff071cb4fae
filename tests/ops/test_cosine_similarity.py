import numpy as np
import pytest

from minitransformer.ops.cosine_similarity import (
    EPS,
    cosine_matrix_backward,
    cosine_matrix_forward,
    cosine_similarity_backward,
    cosine_similarity_forward,
)
from tests.gradient_check import assert_operation_gradients


def test_a_pair_worked_out_by_hand():
    """u = (3, 4) has the length 5 and v = (1, 0) the length 1, so c = 3/5. Back, for dc = 1:

    du = (v_hat - c u_hat) / |u| = ((1, 0) - (9/25, 12/25)) / 5 = (16, -12) / 125
    dv = (u_hat - c v_hat) / |v| = (3/5, 4/5) - (3/5, 0) = (0, 4/5)
    """
    cosines, cache = cosine_similarity_forward(np.array([[3.0, 4]]), np.array([[1.0, 0]]))
    np.testing.assert_allclose(cosines, [0.6], rtol=1e-15)
    du, dv = cosine_similarity_backward(np.ones(1), cache)
    np.testing.assert_allclose(du, [[16 / 125, -12 / 125]], rtol=1e-14)
    np.testing.assert_allclose(dv, [[0, 0.8]], atol=1e-16)


def test_the_gradient_has_no_component_along_the_vector():
    rng = np.random.default_rng(1)
    u, v = rng.normal(size=(2, 4, 7))
    _, cache = cosine_similarity_forward(u, v)
    du, _ = cosine_similarity_backward(rng.normal(size=4), cache)
    np.testing.assert_allclose((du * u).sum(axis=1), 0, atol=1e-15)


def test_the_diagonal_of_the_matrix_is_the_cosine_of_corresponding_rows():
    rng = np.random.default_rng(2)
    u, v = rng.normal(size=(2, 4, 7))
    cosines, cache = cosine_similarity_forward(u, v)
    matrix, matrix_cache = cosine_matrix_forward(u, v)
    np.testing.assert_allclose(np.diag(matrix), cosines, rtol=1e-14)
    dcosines = rng.normal(size=4)
    gradients = cosine_similarity_backward(dcosines, cache)
    for found, expected in zip(cosine_matrix_backward(np.diag(dcosines), matrix_cache), gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_of_zeros_has_the_cosine_0_and_finite_gradients(dtype):
    cosines, cache = cosine_similarity_forward(np.zeros((1, 3), dtype), np.array([[1, 2, 2]], dtype))
    assert cosines.tolist() == [0]
    du, dv = cosine_similarity_backward(np.ones(1, dtype), cache)
    assert np.isfinite(du).all()
    assert (dv == 0).all()


def test_gradients_where_the_length_counts_as_eps():
    """There c = u . v_hat / eps is linear in u. (A central difference's step of 1e-5 would leave that range.)"""
    u, v = np.array([[0.2, -0.3, 0.1]]) * EPS, np.array([[1.0, 2, 2]])
    cosines, cache = cosine_similarity_forward(u, v)
    np.testing.assert_allclose(cosines, [(0.2 - 0.6 + 0.2) / 3], rtol=1e-14)
    du, _ = cosine_similarity_backward(np.array([0.5]), cache)
    np.testing.assert_allclose(du, 0.5 * v / 3 / EPS, rtol=1e-14)


def test_the_gradient_of_long_and_short_rows_together():
    lengths = np.array([[100.0], [1], [0.1]])
    u, v = np.random.default_rng(3).normal(size=(2, 3, 5))
    assert_operation_gradients(cosine_similarity_forward, cosine_similarity_backward, u * lengths, v)
