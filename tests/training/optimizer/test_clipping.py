import numpy as np
import pytest

from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.training.optimizer.clipping import clip_scale, global_norm, sum_and_norm
from minitransformer.training.workers import Workers


def test_the_norm_is_the_euclidean_length_over_all_blocks():
    gradients = np.random.default_rng(1).normal(size=600_001).astype(np.float32)
    assert global_norm(gradients) == pytest.approx(np.linalg.norm(gradients.astype(np.float64)), rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_makes_the_norm_not_finite(bad):
    gradients = np.ones(300_000, np.float32)
    gradients[270_000] = bad
    assert not np.isfinite(global_norm(gradients))


def test_a_short_gradient_is_left_alone_and_a_long_one_gets_the_limit():
    assert clip_scale(0.7, 1.0) == 1.0
    assert clip_scale(0.0, 1.0) == 1.0
    assert 5.0 * clip_scale(5.0, 1.0) == pytest.approx(1.0, rel=1e-6)
    assert clip_scale(5.0, 1.0) == 1.0 / (5.0 + 1e-6)


@pytest.mark.parametrize("size", [5, 2**18, 600_001])
def test_spread_over_threads_the_norm_is_the_same_bit_for_bit(size):
    gradients = np.random.default_rng(1).normal(size=size).astype(np.float32)
    with Workers(LayerNorm(2).initialise(), 3) as pool:
        assert global_norm(gradients, pool.spread) == global_norm(gradients)


@pytest.mark.parametrize("size", [5, 600_001])
def test_vectors_sum_and_norm_in_place_in_their_order_and_the_norm_is_that_of_the_sum(size):
    rng = np.random.default_rng(2)
    first, *others = (rng.normal(size=size).astype(np.float32) for _ in range(3))
    expected = (first + others[0]) + others[1]
    with Workers(LayerNorm(2).initialise(), 3) as pool:
        norm = sum_and_norm(first, others, pool.spread)
    assert np.array_equal(first, expected)
    assert norm == global_norm(expected)
