import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.inference.source_attention import source_attention
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import small_lstm_seq2seq, small_seq2seq


def test_each_row_of_each_head_adds_up_to_1():
    found = source_attention(small_seq2seq(), PackedTokens.pack([[4, 5, 6, 1]]), PackedTokens.pack([[7, 8, 1]]))
    assert found.shape == (2, 3, 3, 4)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-12)


@pytest.mark.parametrize("attention", ["luong", "bahdanau"])
def test_a_recurrent_decoder_has_one_layer_and_one_head(attention):
    model = small_lstm_seq2seq(attention=attention)
    found = source_attention(model, PackedTokens.pack([[4, 5, 6, 1]]), PackedTokens.pack([[7, 8, 1]]))
    assert found.shape == (1, 1, 3, 4)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-12)


@pytest.mark.parametrize("make", [small_seq2seq, small_lstm_seq2seq])
def test_a_row_does_not_know_the_token_that_it_predicts(make):
    model, source = make(), PackedTokens.pack([[4, 5, 6, 1]])
    first, second = (source_attention(model, source, PackedTokens.pack([ids])) for ids in ([7, 8, 1], [7, 9, 1]))
    np.testing.assert_array_equal(first[:, :, :2], second[:, :, :2])
    assert (first[:, :, 2] != second[:, :, 2]).any()


def test_bahdanaus_decoder_looks_before_it_reads_the_token_that_it_wrote_last():
    model, source = small_lstm_seq2seq(attention="bahdanau"), PackedTokens.pack([[4, 5, 6, 1]])
    targets = [7, 8, 1, 3], [7, 9, 1, 3]
    first, second = (source_attention(model, source, PackedTokens.pack([ids])) for ids in targets)
    np.testing.assert_array_equal(first[:, :, :3], second[:, :, :3])
    assert (first[:, :, 3] != second[:, :, 3]).any()


def test_a_model_without_attention_is_refused():
    tokens = PackedTokens.pack([[4, 1]])
    with pytest.raises(UserError, match="this LSTM has no attention"):
        source_attention(small_lstm_seq2seq(attention="none"), tokens, tokens)


def test_it_is_of_one_source_and_one_target():
    two, one = PackedTokens.pack([[1], [1]]), PackedTokens.pack([[1]])
    with pytest.raises(ValueError, match="found 2 and 1"):
        source_attention(small_seq2seq(), two, one)
