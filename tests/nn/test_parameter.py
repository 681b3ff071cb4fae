import copy
import pickle

import numpy as np
import pytest

from minitransformer.nn.linear import Linear
from minitransformer.nn.parameter import FlatStorage, Parameter, TruncatedNormal, ones, zeros


def placed_parameter():
    """A parameter (2, 3) in the middle of a vector of ten entries."""
    parameter = Parameter((2, 3), zeros)
    parameter.place_in(FlatStorage(np.arange(10.0), num_decayed=10), 3)
    return parameter


def test_value_and_grad_are_views_of_the_models_vectors():
    parameter = placed_parameter()
    np.testing.assert_array_equal(parameter.value, [[3, 4, 5], [6, 7, 8]])
    parameter.value[1, 0] = -1
    parameter.grad[0, 2] = 5
    np.testing.assert_array_equal(parameter.storage.values, [0, 1, 2, 3, 4, 5, -1, 7, 8, 9])
    np.testing.assert_array_equal(parameter.storage.gradients, [0, 0, 0, 0, 0, 5, 0, 0, 0, 0])


def test_accumulate_adds():
    parameter = placed_parameter()
    parameter.accumulate(np.full((2, 3), 2.0))
    parameter.accumulate(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(parameter.grad, [[2, 3, 4], [5, 6, 7]])


def test_a_frozen_parameter_takes_no_gradient_and_says_so():
    parameter = placed_parameter()
    parameter.trained = False
    parameter.accumulate(np.ones((2, 3)))
    with pytest.raises(RuntimeError, match="frozen"):
        _ = parameter.grad


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        placed_parameter().accumulate(np.zeros((3, 3)))


def test_a_parameter_without_a_place_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call initialise\(\)"):
        _ = Linear(2, 3).weight.value


def test_weight_decay_is_for_matrices_alone():
    assert Parameter((2, 3), zeros).decayed
    assert not Parameter((3,), ones).decayed


def test_the_gradients_are_not_made_before_they_are_asked_for():
    storage = FlatStorage(np.arange(3.0), num_decayed=3)

    def arrays():
        return [array for array in vars(storage).values() if isinstance(array, np.ndarray)]

    assert len(arrays()) == 1
    np.testing.assert_array_equal(storage.gradients, np.zeros(3))
    assert len(arrays()) == 2


def test_a_copy_shares_the_values_and_has_gradients_of_its_own():
    storage = FlatStorage(np.arange(3.0), num_decayed=2)
    storage.gradients[0] = 5
    twin = copy.copy(storage)
    assert twin.values is storage.values
    assert twin.num_decayed == 2
    np.testing.assert_array_equal(twin.gradients, np.zeros(3))
    twin.gradients[1] = 7
    np.testing.assert_array_equal(storage.gradients, [5, 0, 0])


def test_parameters_pickled_together_still_live_in_one_storage():
    parameter = placed_parameter()
    _ = parameter.value
    twin, storage = pickle.loads(pickle.dumps((parameter, parameter.storage)))
    np.testing.assert_array_equal(twin.value, parameter.value)
    storage.values[3] = 9
    assert twin.value[0, 0] == 9
    assert parameter.value[0, 0] == 3


def test_first_weights_are_normal_numbers_cut_at_two_standard_deviations():
    """Of the normal distribution, what lies within two deviations has 0.8796 of its standard deviation."""
    draws = TruncatedNormal(0.02)(np.random.default_rng(1), (400, 500))
    assert draws.shape == (400, 500)
    assert np.abs(draws).max() <= 0.04
    assert np.abs(draws).max() > 0.0399
    assert draws.std() == pytest.approx(0.02 * 0.8796, rel=0.01)
    assert draws.mean() == pytest.approx(0, abs=6 * 0.0176 / 200_000**0.5)


def test_a_product_is_added_in_more_than_one_block():
    parameter = Parameter((600, 500), zeros)
    parameter.place_in(FlatStorage(np.zeros(300_000), num_decayed=300_000), 0)
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(600, 4)), rng.normal(size=(4, 500))
    parameter.accumulate(np.ones((600, 500)))
    parameter.accumulate_product(a, b)
    np.testing.assert_allclose(parameter.grad, 1 + a @ b, rtol=1e-12)
