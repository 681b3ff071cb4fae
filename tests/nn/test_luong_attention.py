import numpy as np
import pytest

from minitransformer.nn.luong_attention import LuongAttention
from tests.gradient_check import assert_operation_gradients
from tests.small_models import randomise

H = 5
LENGTHS, SOURCE_LENGTHS = np.array([2, 4]), np.array([3, 1])


@pytest.fixture
def layer():
    return randomise(LuongAttention(H).initialise(dtype=np.float64))


def arrays(seed=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(6, H)), rng.normal(size=(4, H))


def test_it_is_the_papers_formulas(layer):
    x, source = arrays()
    y, _ = layer.forward(x, LENGTHS, source, SOURCE_LENGTHS)
    w_a, w_c, b = layer.weight.value, layer.combination.weight.value, layer.combination.bias.value
    for row in range(6):
        seen = source[:3] if row < 2 else source[3:]
        weights = np.exp(x[row] @ w_a @ seen.T)
        context = weights / weights.sum() @ seen
        np.testing.assert_allclose(y[row], np.tanh(np.concatenate([context, x[row]]) @ w_c + b), rtol=1e-10)


def test_the_gradients_of_x_and_of_the_source_equal_central_differences(layer):
    def forward(x, source):
        return layer.forward(x, LENGTHS, source, SOURCE_LENGTHS)

    assert_operation_gradients(forward, layer.backward, *arrays())
