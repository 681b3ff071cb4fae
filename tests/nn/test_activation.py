import numpy as np
import pytest

from minitransformer.nn.activation import ACTIVATIONS

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())


def rows(seed):
    return np.random.default_rng(seed).normal(size=(5, 7))


@every_activation
def test_each_function_may_write_its_result_over_its_argument(activation):
    x, dy = rows(1), rows(2)
    y, cache = activation.forward(x)
    dx = activation.backward(dy, cache)

    inferred, trained = x.copy(), x.copy()
    np.testing.assert_array_equal(activation.function(inferred, out=inferred), y)
    in_place, cache = activation.forward(trained, out=trained)
    np.testing.assert_array_equal(in_place, y)
    assert inferred.tolist() == trained.tolist() == y.tolist()
    np.testing.assert_array_equal(activation.backward(dy, cache, out=dy), dx)
    np.testing.assert_array_equal(dy, dx)
