import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.inference.translation import translate
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from tests.gradient_check import assert_parameter_gradients
from tests.models.test_seq2seq import loss_and_gradients
from tests.small_models import LENGTHS, small_lstm_seq2seq, sources_and_targets

every_kind = pytest.mark.parametrize("attention", ["luong", "bahdanau", "none"])
EOS = 1


@every_kind
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_gradient_of_every_parameter_equals_central_differences(attention, dropout):
    model = small_lstm_seq2seq(attention=attention, hidden_dropout_prob=dropout)
    sources, targets = sources_and_targets(model.config)

    def forward():
        return model.forward(sources, targets, generator(1, "dropout"))

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0].total)


@every_kind
def test_no_row_sees_the_token_that_it_must_predict_but_all_see_the_source(attention):
    model = small_lstm_seq2seq(attention=attention)

    def logits(source, target):
        return model(PackedTokens.pack([source]), PackedTokens.pack([target]))

    first = logits([4, 5, 6], [7, 8, 9])
    changed = (first != logits([4, 5, 6], [7, 5, 9])).any(axis=1)
    assert changed.tolist() == [False, False, True]
    assert (first != logits([4, 6, 6], [7, 8, 9])).any(axis=1).all()


@every_kind
def test_without_attention_only_the_last_state_of_the_source_is_known(attention):
    """Rows of the source may be anything then: a decoder that starts with the same state writes the same."""
    model = small_lstm_seq2seq(attention=attention)
    decoder = model.over(PackedTokens.pack([[4, 5, 6]]))
    first, second = decoder.key_values(1), decoder.key_values(1)
    second[0].sources = second[0].sources._replace(rows=second[0].sources.rows + 1)
    tokens = PackedTokens.pack([[2]])
    assert (decoder.hidden(tokens, first) != decoder.hidden(tokens, second)).any() == (attention != "none")


@every_kind
@given(chosen=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=6))
def test_a_pair_has_the_same_rows_in_any_batch_and_any_order(attention, chosen):
    model = small_lstm_seq2seq(attention=attention)
    sources, targets = sources_and_targets(model.config)
    expected = model(sources, targets)[targets.rows_of(np.array(chosen))]
    found = model(sources.select(chosen), targets.select(chosen))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@every_kind
def test_the_shards_of_a_step_add_up_to_the_step_as_one_batch(attention):
    model = small_lstm_seq2seq(attention=attention)
    sources, targets = sources_and_targets(model.config)
    batches = [(sources.select(shard), targets.select(shard)) for shard in ([0, 3], [1, 2, 4], [])]
    losses, gradients = loss_and_gradients(model, *batches, of_step=len(targets.token_ids))
    (expected_loss,), expected = loss_and_gradients(model, (sources, targets))
    np.testing.assert_allclose(np.sum(losses, axis=0), expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-12)


@every_kind
def test_token_by_token_equals_all_at_once(attention):
    model = small_lstm_seq2seq(attention=attention)
    sources, targets = sources_and_targets(model.config, target_lengths=(6,) * len(LENGTHS))
    expected = model(sources, targets).reshape(len(LENGTHS), 6, -1)
    decoder = model.over(sources)
    seen, inputs = decoder.key_values(len(LENGTHS)), targets.token_ids.reshape(len(LENGTHS), 6)
    for step in range(6):
        ids = inputs[:, step - 1] if step else [model.config.decoder_start_token_id] * len(LENGTHS)
        logits = decoder.head(decoder.hidden(PackedTokens.pack([[i] for i in ids]), seen))
        np.testing.assert_allclose(logits, expected[:, step], rtol=1e-10, atol=1e-12)


def test_the_keys_of_a_source_are_computed_once_and_not_at_each_step():
    model = small_lstm_seq2seq(attention="bahdanau")
    decoder, tokens = model.over(PackedTokens.pack([[4, 5, 6]])), PackedTokens.pack([[2]])
    expected = decoder.hidden(tokens, decoder.key_values(1))
    model.decoder.key.value[...] = 0
    np.testing.assert_array_equal(decoder.hidden(tokens, decoder.key_values(1)), expected)


@every_kind
@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_batch_gives_each_source_the_translation_that_it_gets_alone(attention, num_beams):
    model = small_lstm_seq2seq(attention=attention, max_position_embeddings=15)
    sources = [[4, 7, EOS], [9, EOS], [3, 3, 5, 8, 11, EOS], [4, 7, 9, EOS]]
    found = translate(model, PackedTokens.pack(sources), num_beams=num_beams)
    assert found == [translate(model, PackedTokens.pack([source]), num_beams=num_beams)[0] for source in sources]


@every_kind
def test_a_model_comes_back_from_its_folder(tmp_path, attention):
    model = small_lstm_seq2seq(np.float32, attention=attention)
    model.save_pretrained(tmp_path)
    again = LstmSeq2Seq.from_pretrained(tmp_path)
    assert again.config == model.config
    np.testing.assert_array_equal(again.storage.values, model.storage.values)


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_and_gradients_have_the_models_dtype(attention, dtype):
    model = small_lstm_seq2seq(dtype, attention=attention)
    batch = sources_and_targets(model.config)
    (loss,), gradients = loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    assert gradients.dtype == model(*batch).dtype == dtype
    assert {type(number) for number in loss} == {float}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attention": True}, "attention must be one of luong, bahdanau, none, found True"),
        ({"hidden_size": 0}, "hidden_size must be a whole number of at least 1, found 0"),
        ({"vocab_size": 3, "eos_token_id": 3}, "eos_token_id must be a token of the 3 in the vocabulary, found 3"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(changes, words):
    with pytest.raises(UserError, match=words):
        LstmSeq2SeqConfig(**changes)


def test_what_cannot_be_read_is_refused_in_words():
    model = small_lstm_seq2seq()
    for sources, targets, words in (
        ([[1, 23]], [[1]], "token id 23 is outside the vocabulary"),
        ([[1] * 10], [[1]], "a source has 10 tokens, but this model has 9 positions"),
        ([[1]], [[23, 1]], "token id 23 is outside the vocabulary"),
        ([[1], [1]], [[1]], "there are 2 sources but 1 targets"),
    ):
        for run in (model, model.forward):
            with pytest.raises(UserError, match=words):
                run(PackedTokens.pack(sources), PackedTokens.pack(targets))
