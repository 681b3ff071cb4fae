import numpy as np
import pytest

from minitransformer.inference.input_sum import input_sum
from minitransformer.models.bert import Bert
from minitransformer.models.roberta import Roberta, RobertaConfig
from tests.small_models import random_tokens, randomise, small_config, small_gpt


def small_bert():
    return randomise(Bert(small_config(), dtype=np.float64))


def test_a_berts_three_summands_are_rows_of_its_tables_and_add_up():
    model = small_bert()
    tokens = random_tokens(model.config)
    token, segment, position = input_sum(model, tokens).summands
    assert [summand.name for summand in (token, segment, position)] == ["token", "segment", "position"]
    np.testing.assert_array_equal(segment.ids, tokens.segment_ids)
    tables = model.state_dict()
    for summand, name in ((token, "word"), (segment, "token_type"), (position, "position")):
        np.testing.assert_array_equal(summand.rows, tables[f"embeddings.{name}_embeddings.weight"][summand.ids])
    parts = input_sum(model, tokens)
    np.testing.assert_allclose(parts.total, token.rows + segment.rows + position.rows, rtol=1e-12)
    np.testing.assert_allclose(parts.embedded, model.embeddings.norm(parts.total), rtol=1e-12)


def test_a_gpts_two_summands_are_what_the_first_layer_gets():
    model = small_gpt()
    parts = input_sum(model, random_tokens(model.config))
    assert [summand.name for summand in parts.summands] == ["token", "position"]
    np.testing.assert_allclose(parts.total, parts.embedded, rtol=1e-12)


def test_a_robertas_positions_begin_behind_the_padding():
    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 3, "intermediate_size": 7}
    model = randomise(Roberta(RobertaConfig(vocab_size=23, max_position_embeddings=11, **sizes), dtype=np.float64))
    tokens = random_tokens(model.config, lengths=(3,))
    parts = input_sum(model, tokens)
    assert parts.summands[-1].ids.tolist() == [2, 3, 4]
    np.testing.assert_allclose(parts.embedded, model.embeddings.norm(parts.total), rtol=1e-12)


@pytest.mark.parametrize("make", [small_bert, small_gpt])
def test_the_sum_goes_into_the_first_layer(make):
    model = make()
    tokens = random_tokens(model.config, lengths=(4,))
    x = input_sum(model, tokens).embedded
    for layer in model.layers:
        x = layer(x, tokens.lengths)
    x = model.norm(x) if make is small_gpt else x
    np.testing.assert_allclose(x, model.hidden(tokens), rtol=1e-12)
