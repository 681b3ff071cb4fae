import numpy as np
import pytest

from minitransformer.nn.gpt_embeddings import GptEmbeddings
from minitransformer.randomness import generator
from tests.small_models import randomise

TOKENS, POSITIONS = np.array([4, 9, 4, 4]), np.array([0, 1, 2, 0])


@pytest.fixture
def layer():
    return randomise(GptEmbeddings(11, 3, 6, 0.5).initialise(dtype=np.float64))


def test_a_row_is_the_sum_of_its_token_and_its_position(layer):
    expected = layer.token.table.value[[4, 9, 4, 4]] + layer.position.table.value[[0, 1, 2, 0]]
    np.testing.assert_array_equal(layer(TOKENS, POSITIONS), expected)


def test_dropout_falls_on_the_sum(layer):
    y, _ = layer.forward(TOKENS, POSITIONS, generator(1, "dropout"))
    expected = layer(TOKENS, POSITIONS)
    kept = y != 0
    assert 0 < kept.sum() < y.size
    np.testing.assert_allclose(y[kept], 2 * expected[kept], rtol=1e-12)
