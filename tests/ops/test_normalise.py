import numpy as np

from minitransformer.ops.normalise import normalise_backward, normalise_forward


def test_every_row_has_length_1():
    np.testing.assert_allclose(normalise_forward(np.array([[3.0, 4.0], [-2.0, 0.0]]))[0], [[0.6, 0.8], [-1, 0]])


def test_the_gradient_has_no_component_along_the_row():
    rng = np.random.default_rng(0)
    x, dx_hat = rng.normal(size=(2, 5, 7))
    dx = normalise_backward(dx_hat, normalise_forward(x)[1])
    np.testing.assert_allclose((dx * x).sum(axis=1), 0, atol=1e-12)


def test_a_row_of_zeros_stays_one_and_its_gradient_is_finite():
    x_hat, cache = normalise_forward(np.zeros((1, 3)), eps=1e-8)
    np.testing.assert_array_equal(x_hat, 0)
    np.testing.assert_allclose(normalise_backward(np.ones((1, 3)), cache), 1e8)
