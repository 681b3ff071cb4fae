import math

import numpy as np
import pytest

from minitransformer.ops.gelu import gelu, gelu_backward, gelu_forward, gelu_tanh, gelu_tanh_forward
from tests.gradient_check import assert_operation_gradients

EVERY_FLOAT32_REGION = np.concatenate([np.linspace(-12, 12, 200_001), [-1e4, -100, 100, 1e4]]).astype(np.float32)


def test_values_known_from_the_tables_of_the_normal_distribution():
    """Phi(1) = 0.84134 47460 68543 and Phi(-1) = 1 - Phi(1); Phi(2) = 0.97724 98680 51821."""
    x = np.array([0, 1, -1, 2])
    expected = [0, 0.841344746068543, -0.158655253931457, 2 * 0.977249868051821]
    np.testing.assert_allclose(gelu(x.astype(np.float64)), expected, rtol=1e-14)


@pytest.mark.parametrize("x", [-2.5, -0.3, 0.7, 3.1])
def test_both_forms_are_their_formulas(x):
    exact = x * (1 + math.erf(x / math.sqrt(2))) / 2
    tanh_form = x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    assert gelu(np.array([x]))[0] == pytest.approx(exact, rel=1e-13)
    assert gelu_tanh(np.array([x]))[0] == pytest.approx(tanh_form, rel=1e-13)


def test_the_two_forms_differ_by_at_most_47e_5_where_x_is_about_2_70():
    """So a model must run with the form that it was trained with; a test with a tolerance of 1e-3 could not tell."""
    x = np.linspace(0, 10, 100_001)
    difference = np.abs(gelu(x) - gelu_tanh(x))
    assert difference.max() == pytest.approx(4.73e-4, abs=1e-6)
    assert x[difference.argmax()] == pytest.approx(2.70, abs=0.02)


def test_the_form_fitted_for_float32_is_within_1e_6_of_the_exact_one():
    y, cache = gelu_forward(EVERY_FLOAT32_REGION)
    exact, exact_cache = gelu_forward(EVERY_FLOAT32_REGION.astype(np.float64))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, exact, rtol=2e-7, atol=4e-7)
    ones = np.ones_like(y)
    np.testing.assert_allclose(gelu_backward(ones, cache), gelu_backward(ones, exact_cache), atol=1e-6)


def test_far_from_zero_gelu_is_x_or_0_in_both_forms():
    x = np.array([-1e4, -50, 50, 1e4], np.float32)
    for y in (gelu(x), gelu_tanh(x)):
        np.testing.assert_array_equal(y, [0, 0, 50, 1e4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("function", "forward"), [(gelu, gelu_forward), (gelu_tanh, gelu_tanh_forward)])
def test_inference_gives_the_training_forwards_result_in_the_same_dtype(function, forward, dtype):
    x = np.random.default_rng(1).normal(size=(3, 5, 2)).astype(dtype)
    y = function(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, forward(x)[0], rtol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("forward", [gelu_forward, gelu_tanh_forward])
def test_more_elements_than_a_block_has_give_what_they_give_a_few_at_a_time(forward):
    x = np.random.default_rng(1).normal(size=(600, 500))
    y, cache = forward(x)
    for rows in np.split(np.arange(600), 3):
        part, part_cache = forward(x[rows])
        np.testing.assert_array_equal(y[rows], part)
        np.testing.assert_array_equal(cache.slope[rows], part_cache.slope)


@pytest.mark.parametrize("forward", [gelu_forward, gelu_tanh_forward])
def test_gradients_equal_central_differences_far_from_zero_too(forward):
    assert_operation_gradients(forward, gelu_backward, np.linspace(-8, 8, 41))
