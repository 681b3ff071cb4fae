import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.ops.layer_norm import layer_norm_backward, layer_norm_forward
from tests.gradient_check import assert_operation_gradients, upstream

EPS = 1e-12


def draw(num_rows=5, size=7, dtype=np.float64):
    rng = np.random.default_rng(4)
    return [rng.normal(size=shape).astype(dtype) for shape in ((num_rows, size), (size,), (size,))]


def test_a_row_worked_out_by_hand():
    """2 4 4 4 5 5 7 9 has mean 5; the squared distances 9 1 1 1 0 0 4 16 have mean 4, so std is 2."""
    x = np.array([[2.0, 4, 4, 4, 5, 5, 7, 9]])
    y, _ = layer_norm_forward(x, np.ones(8), np.zeros(8), EPS)
    np.testing.assert_allclose(y, [[-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2]], atol=1e-12)
    gamma, beta = np.arange(8.0), np.arange(8.0) ** 2
    y, _ = layer_norm_forward(x, gamma, beta, EPS)
    np.testing.assert_allclose(y, [[0, 0.5, 3, 7.5, 16, 25, 42, 63]], atol=1e-11)


def test_eps_is_added_to_the_variance():
    """Variance 4 and eps 5 make a standard deviation of 3 (eps added to the deviation would make it 7)."""
    y, _ = layer_norm_forward(np.array([[-2.0, 2.0]]), np.ones(2), np.zeros(2), 5.0)
    np.testing.assert_allclose(y, [[-2 / 3, 2 / 3]], rtol=1e-15)


@pytest.mark.parametrize("num_rows", [5, 600], ids=["a few rows", "more rows than a block has"])
def test_result_and_gradients_are_the_textbooks(num_rows):
    x, gamma, beta = draw(num_rows, 500)
    y, cache = layer_norm_forward(x, gamma, beta, EPS)
    std = np.sqrt(x.var(axis=1, keepdims=True) + EPS)
    x_hat = (x - x.mean(axis=1, keepdims=True)) / std
    np.testing.assert_allclose(y, gamma * x_hat + beta, rtol=1e-12, atol=1e-14)

    dy = upstream(y)
    dx, dgamma, dbeta = layer_norm_backward(dy, cache)
    dx_hat = dy * gamma
    along_x_hat = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        dx, (dx_hat - dx_hat.mean(axis=1, keepdims=True) - x_hat * along_x_hat) / std, 1e-9, 1e-13
    )
    np.testing.assert_allclose(dgamma, (dy * x_hat).sum(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dbeta, dy.sum(axis=0), rtol=1e-9, atol=1e-12)


def test_gradients_equal_central_differences_where_eps_matters():
    assert_operation_gradients(lambda *arguments: layer_norm_forward(*arguments, 0.5), layer_norm_backward, *draw())


@given(st.floats(-100, 100), st.floats(0.1, 100))
def test_a_shifted_and_stretched_row_has_the_same_result(shift, stretch):
    x, gamma, beta = draw()
    y, _ = layer_norm_forward(x, gamma, beta, EPS)
    shifted, _ = layer_norm_forward(stretch * x + shift, gamma, beta, EPS)
    np.testing.assert_allclose(shifted, y, rtol=1e-7, atol=1e-8)


def test_the_gradient_of_x_has_nothing_along_what_centring_and_scaling_threw_away():
    x, gamma, beta = draw()
    y, cache = layer_norm_forward(x, gamma, beta, EPS)
    dx, _, _ = layer_norm_backward(upstream(y), cache)
    centred = x - x.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-13)
    np.testing.assert_allclose((dx * centred).sum(axis=1), 0, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_row_becomes_beta_and_its_gradient_stays_finite(dtype):
    """Variance 0: only eps keeps the division from 0 / 0. The slope there is 1 / sqrt(eps), a million."""
    x = np.full((2, 8), 0.75, dtype)
    _, gamma, beta = draw(size=8, dtype=dtype)
    y, cache = layer_norm_forward(x, gamma, beta, EPS)
    np.testing.assert_allclose(y, np.tile(beta, (2, 1)), rtol=1e-6)
    dy = upstream(y)
    dx, _, _ = layer_norm_backward(dy, cache)
    dx_hat = dy * gamma
    np.testing.assert_allclose(dx, 1e6 * (dx_hat - dx_hat.mean(axis=1, keepdims=True)), rtol=1e-4)


def test_a_large_offset_costs_float32_no_more_than_its_own_rounding():
    """The variance is that of centred numbers: mean(x^2) - mean(x)^2 would have lost it all at 1000 +- 1."""
    x, gamma, beta = draw(dtype=np.float32)
    y, _ = layer_norm_forward(x + np.float32(1000), gamma, beta, EPS)
    exact, _ = layer_norm_forward((x + np.float32(1000)).astype(np.float64), gamma, beta, EPS)
    np.testing.assert_allclose(y, exact, atol=1e-3)
