import pytest

from minitransformer.errors import UserError
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.seq2seq_config import Seq2SeqConfig


def test_the_defaults_are_the_papers_base_model():
    """Vaswani et al. 2017, table 3: N 6, d_model 512, d_ff 2048, h 8, dropout 0.1, smoothing 0.1; 37,000 byte pairs."""
    assert Seq2SeqConfig() == Seq2SeqConfig.preset("base")
    config = Seq2SeqConfig()
    sizes = config.num_encoder_layers, config.num_decoder_layers, config.hidden_size, config.num_attention_heads
    assert sizes == (6, 6, 512, 8)
    assert (config.intermediate_size, config.hidden_dropout_prob, config.label_smoothing) == (2048, 0.1, 0.1)


def test_the_base_model_has_the_papers_number_of_parameters():
    """65 million by table 3. Per layer 4 (H^2 + H) for attention, 2 H F + F + H, and 2 H for a norm."""
    size, inner = 512, 2048
    attention, feed_forward, norm = 4 * (size**2 + size), 2 * size * inner + inner + size, 2 * size
    layers = 6 * (attention + feed_forward + 2 * norm) + 6 * (2 * attention + feed_forward + 3 * norm)
    expected = layers + 37000 * size + 37000
    assert Seq2Seq(Seq2SeqConfig(), seed=None).num_parameters == expected
    assert expected == pytest.approx(65e6, rel=0.04)


def test_every_preset_has_heads_that_divide_its_columns():
    for name in ("tiny", "mini", "base", "big"):
        config = Seq2SeqConfig.preset(name, vocab_size=10)
        assert config.hidden_size % config.num_attention_heads == 0
        assert config.num_encoder_layers == config.num_decoder_layers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": 130}, "hidden_size 130 isn't a multiple of num_attention_heads 8"),
        ({"num_decoder_layers": 0}, "num_decoder_layers must be a whole number of at least 1, found 0"),
        ({"label_smoothing": 1}, "label_smoothing must be a number of at least 0 and below 1, found 1"),
        ({"vocab_size": 5, "eos_token_id": 5}, "eos_token_id must be a token of the 5 in the vocabulary, found 5"),
        ({"decoder_start_token_id": None}, "decoder_start_token_id must be a token of the 37000"),
        ({"eos_token_id": [1, 2]}, "eos_token_id must be a token id, or none"),
        ({"hidden_act": "swoosh"}, "hidden_act must be one of gelu, .*, found 'swoosh'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_was_expected(changes, words):
    with pytest.raises(UserError, match=words):
        Seq2SeqConfig(**changes)
