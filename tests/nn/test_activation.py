import numpy as np
import pytest

from minitransformer.nn.activation import ACTIVATIONS


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
def test_the_function_alone_gives_what_the_forward_gives(activation):
    x = np.random.default_rng(1).normal(size=(5, 7))
    np.testing.assert_array_equal(activation.function(x), activation.forward(x)[0])
