import threading

import numpy as np
import pytest

from minitransformer.nn.linear import Linear
from minitransformer.training.workers import Workers


@pytest.fixture
def model():
    return Linear(3, 2, init_std=0.5).initialise(0, np.float64)


def add(model, shard, index):
    """A stand-in for a backward: adds the shard's number to every gradient."""
    model.storage.gradients[:] += shard
    return shard, index


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_results_come_in_the_order_of_the_shards_and_each_knows_its_number(model, count):
    with Workers(model, count) as pool:
        assert pool.map([10.0, 20.0, 30.0, 40.0], add) == [(10, 0), (20, 1), (30, 2), (40, 3)]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_models_gradients_become_the_sum_over_all_shards_step_after_step(model, count):
    with Workers(model, count) as pool:
        for _ in range(2):  # what the step before left behind doesn't count
            pool.gradients([1.0, 2.0, 4.0, 8.0], add)
            np.testing.assert_array_equal(model.storage.gradients, np.full(8, 15.0))
            assert pool.gradient_norm == np.sqrt(8 * 15.0**2)


def test_several_rounds_of_a_step_add_up(model):
    """Forwards, an objective that adds to the model itself, and backwards: the parts of a siamese step."""
    with Workers(model, 2) as pool:
        pool.zero_grad()
        pool.map([1.0, 2.0], add)
        model.storage.gradients[:] += 100
        pool.map([4.0, 8.0], add)
        pool.add_up_gradients()
        np.testing.assert_array_equal(model.storage.gradients, np.full(8, 115.0))


def test_the_norm_is_not_that_of_the_step_before(model):
    with Workers(model, 2) as pool:
        assert np.isnan(pool.gradient_norm)
        pool.gradients([1.0], add)
        pool.zero_grad()
        assert np.isnan(pool.gradient_norm)


def test_workers_share_the_values_and_have_gradients_of_their_own(model):
    both_at_work = threading.Barrier(2)

    def look(replica, shard, index):
        both_at_work.wait(30)
        return id(replica.storage.gradients), replica.storage.values is model.storage.values

    with Workers(model, 2) as pool:
        (first, shares), (second, also_shares) = pool.map(["a", "b"], look)
    assert first != second
    assert shares
    assert also_shares


def test_an_error_in_a_shard_reaches_the_caller(model):
    def fail(replica, shard, index):
        raise ValueError(f"shard {shard}")

    with Workers(model, 2) as pool, pytest.raises(ValueError, match="shard 7"):
        pool.map([7, 8], fail)
