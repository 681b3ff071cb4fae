import math

import numpy as np
import pytest

from minitransformer.ops.dropout import dropout_backward, dropout_forward
from minitransformer.randomness import generator

SIZE = 400_000


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3, 0.5, 0.9])
def test_the_share_of_zeros_is_the_rate_and_the_rest_is_scaled_up_so_that_the_mean_stays(rate):
    """The bounds are six standard deviations of a count of SIZE independent draws."""
    x = np.ones(SIZE)
    y, _ = dropout_forward(x, rate, generator(1, "dropout"))
    kept = y[y != 0]
    six_deviations = 6 * math.sqrt(rate * (1 - rate) / SIZE)
    assert abs(1 - len(kept) / SIZE - rate) < six_deviations
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-4)
    assert abs(y.mean() - 1) < six_deviations / (1 - rate)


def test_a_rate_of_two_in_65536_is_not_one_of_three():
    """The mask is drawn from 16 bits an element: an error of one level shows only at a rate as small as this."""
    size = 2**23
    y, _ = dropout_forward(np.ones(size, np.float32), 2 / 2**16, generator(1, "dropout"))
    expected = size * 2 / 2**16
    assert abs(np.count_nonzero(y == 0) - expected) < 6 * math.sqrt(expected)


def test_neighbours_are_dropped_independently():
    """Four elements share a 64-bit number; each pair of places must still be 0 together a quarter of the time."""
    y, _ = dropout_forward(np.ones(SIZE), 0.5, generator(1, "dropout"))
    fours = (y == 0).reshape(-1, 4).astype(float)
    together = fours.T @ fours / len(fours)
    expected = np.full((4, 4), 0.25) + 0.25 * np.eye(4)
    np.testing.assert_allclose(together, expected, atol=6 * 0.5 / math.sqrt(len(fours)))


def test_one_purpose_gives_one_mask_and_another_purpose_another():
    x = np.ones((7, 9))
    masks = [dropout_forward(x, 0.5, generator(1, "dropout", step))[0] for step in (3, 3, 4)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()


def test_the_gradient_goes_through_the_mask_of_its_own_forward():
    rng = generator(1, "dropout")
    x = np.ones((7, 9))
    first, first_cache = dropout_forward(x, 0.5, rng)
    second, second_cache = dropout_forward(x, 0.5, rng)
    dy = np.full_like(x, 3.0)
    np.testing.assert_array_equal(dropout_backward(dy, first_cache), 3 * first)
    np.testing.assert_array_equal(dropout_backward(dy, second_cache), 3 * second)


@pytest.mark.parametrize(("rate", "rng"), [(0.5, None), (0.0, generator(1))])
def test_without_an_rng_or_at_rate_0_everything_passes(rate, rng):
    x = np.arange(5.0)
    y, cache = dropout_forward(x, rate, rng)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(dropout_backward(x, cache), x)


@pytest.mark.parametrize("shape", [(0, 3), (1,), (3, 5), (2, 3, 7)])
def test_any_shape_is_kept(shape):
    y, cache = dropout_forward(np.ones(shape), 0.5, generator(1))
    assert y.shape == dropout_backward(y, cache).shape == shape
