"""The first weights that pretraining starts from."""

import numpy as np

from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.mimetic_start import mimetic_start, sinusoids


def small_bert() -> Bert:
    bert = Bert(BertConfig(50, 24, 2, 2, 32, max_position_embeddings=16), seed=3, dtype=np.float64)
    mimetic_start(bert)
    return bert


def test_sinusoids_are_those_of_the_paper():
    table = sinusoids(5, 6)
    assert table.shape == (5, 6)
    np.testing.assert_allclose(table[3, 2], np.sin(3 / 10_000 ** (2 / 6)))
    np.testing.assert_allclose(table[3, 3], np.cos(3 / 10_000 ** (2 / 6)))


def test_positions_are_as_large_as_tokens_and_near_ones_are_alike():
    embeddings = small_bert().embeddings
    positions, tokens = embeddings.position.table.value, embeddings.token.table.value
    assert 0.8 < np.sqrt((positions**2).mean() / (tokens**2).mean()) < 1.4
    likeness = positions @ positions[8]
    assert likeness[9] > likeness[11] > likeness[15]


def test_a_token_fits_itself_better_than_others_before_any_training():
    bert = small_bert()
    rows = np.random.default_rng(0).standard_normal((7, 24))
    attention = bert.layers[0].attention
    scores = attention.query(rows) @ attention.key(rows).T
    assert (np.diag(scores) > scores.mean(axis=1)).all()


def test_queries_keys_and_outputs_of_the_layers_differ_from_layer_to_layer():
    first, second = (layer.attention for layer in small_bert().layers)
    assert not np.allclose(first.query.weight.value, second.query.weight.value)
    np.testing.assert_array_equal(first.output.weight.value, first.value.weight.value.T)
