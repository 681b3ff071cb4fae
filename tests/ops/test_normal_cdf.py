import numpy as np
from scipy.special import ndtr

from minitransformer.ops.normal_cdf import normal_cdf, normal_density

EVERY_FLOAT32_REGION = np.concatenate([np.linspace(-12, 12, 200_001), [-1e4, -100, 100, 1e4]]).astype(np.float32)


def test_values_known_from_the_tables_of_the_normal_distribution():
    """Phi(1) = 0.84134 47460 68543, Phi(2) = 0.97724 98680 51821; phi(0) = 0.39894 22804 01433."""
    np.testing.assert_allclose(
        normal_cdf(np.array([0.0, 1, 2])), [0.5, 0.841344746068543, 0.977249868051821], rtol=1e-14
    )
    np.testing.assert_allclose(normal_density(np.array([0.0, -1])), [0.398942280401433, 0.241970724519143], rtol=1e-14)


def test_the_density_is_the_slope_of_the_cdf():
    x, h = np.linspace(-6, 6, 41), 1e-5
    slopes = (normal_cdf(x + h) - normal_cdf(x - h)) / (2 * h)
    np.testing.assert_allclose(normal_density(x), slopes, atol=1e-10)


def test_the_form_fitted_for_float32_is_within_its_rounding_of_the_exact_one():
    x = EVERY_FLOAT32_REGION
    cdf, exact = normal_cdf(x), ndtr(x.astype(np.float64))
    assert cdf.dtype == np.float32
    np.testing.assert_allclose(cdf, exact, atol=2e-7)
    np.testing.assert_allclose(x * cdf, x * exact, rtol=2e-7, atol=4e-7)


def test_the_argument_is_not_changed():
    x = EVERY_FLOAT32_REGION.copy()
    normal_cdf(x)
    normal_density(x)
    np.testing.assert_array_equal(x, EVERY_FLOAT32_REGION)
