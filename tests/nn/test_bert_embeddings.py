import numpy as np
import pytest

from minitransformer.nn.bert_embeddings import BertEmbeddings
from minitransformer.randomness import generator
from tests.small_models import randomise

TOKENS, SEGMENTS, POSITIONS = np.array([4, 9, 4, 4]), np.array([0, 0, 1, 1]), np.array([0, 1, 2, 0])


@pytest.fixture
def layer():
    return randomise(BertEmbeddings(11, 2, 3, 6, 1e-12, 0.5, 0.02).initialise(dtype=np.float64))


def test_a_row_is_the_normalised_sum_of_its_token_its_segment_and_its_position(layer):
    total = layer.token.table.value[[4, 9, 4, 4]]
    total = total + layer.segment.table.value[[0, 0, 1, 1]] + layer.position.table.value[[0, 1, 2, 0]]
    normalised, _ = layer.norm.forward(total)
    np.testing.assert_allclose(layer(TOKENS, SEGMENTS, POSITIONS), normalised, rtol=1e-12)


def test_dropout_falls_on_the_normalised_sum(layer):
    """If it fell before the norm, no element would be exactly 0."""
    y, _ = layer.forward(TOKENS, SEGMENTS, POSITIONS, generator(1, "dropout"))
    expected = layer(TOKENS, SEGMENTS, POSITIONS)
    kept = y != 0
    assert 0 < kept.sum() < y.size
    np.testing.assert_allclose(y[kept], 2 * expected[kept], rtol=1e-12)
