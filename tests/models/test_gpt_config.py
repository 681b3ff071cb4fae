import dataclasses

import pytest

from minitransformer.errors import UserError
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import PRESETS, GptConfig


def test_the_defaults_are_those_of_the_smallest_gpt2():
    assert GptConfig() == GptConfig.preset("gpt2")
    assert GptConfig() == GptConfig(
        vocab_size=50257,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        hidden_act="gelu_new",
        embedding_dropout_prob=0.1,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        max_position_embeddings=1024,
        initializer_range=0.02,
        layer_norm_eps=1e-5,
        bos_token_id=None,
        eos_token_id=None,
        tie_word_embeddings=True,
    )


@pytest.mark.parametrize(
    ("name", "num_parameters"),
    [
        ("tiny", 6_960_768),
        ("mini", 16_287_488),
        ("small", 38_866_432),
        ("medium", 51_475_968),
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_the_presets_have_the_published_numbers_of_parameters(name, num_parameters):
    """Counted from the shapes: no weights are made."""
    config = GptConfig.preset(name)
    assert Gpt(config, seed=None).num_parameters == num_parameters
    assert config.hidden_size == 64 * config.num_attention_heads


def test_nano_is_what_nanogpt_trains_on_a_cpu():
    """Four layers of 12 H^2 + 13 H parameters each, two tables of H columns, and the last LayerNorm."""
    config = GptConfig.preset("nano", vocab_size=65, max_position_embeddings=64)
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (4, 128, 4)
    assert Gpt(config, seed=None).num_parameters == 4 * (12 * 128**2 + 13 * 128) + (65 + 64) * 128 + 2 * 128


def test_presets_of_one_name_have_one_size():
    for name in ("tiny", "mini", "small", "medium"):
        gpt, bert = GptConfig.preset(name), BertConfig.preset(name)
        assert (gpt.num_hidden_layers, gpt.hidden_size) == (bert.num_hidden_layers, bert.hidden_size)


def test_the_feed_forward_network_is_four_times_as_wide_unless_it_is_said():
    assert GptConfig(hidden_size=24, num_attention_heads=3).intermediate_size == 96
    assert GptConfig(hidden_size=24, num_attention_heads=3, intermediate_size=7).intermediate_size == 7


def test_an_unknown_preset_is_refused_with_the_names_of_all():
    with pytest.raises(UserError, match="no preset 'base'.*" + ", ".join(PRESETS)):
        GptConfig.preset("base")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": 130, "num_attention_heads": 4}, "hidden_size 130 isn't a multiple of num_attention_heads 4"),
        ({"hidden_size": None}, "hidden_size must be a whole number of at least 1, found None"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be a whole number of at least 1, found 0"),
        ({"embedding_dropout_prob": 1}, "embedding_dropout_prob must be a number of at least 0 and below 1, found 1"),
        ({"eos_token_id": -1}, "eos_token_id must be a token id, or none, found -1"),
        ({"eos_token_id": [1, 2]}, "eos_token_id must be a token id, or none"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings must be true or false, found 1"),
        ({"hidden_act": "softmax"}, "hidden_act must be one of gelu, .*, found 'softmax'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_was_expected(changes, words):
    with pytest.raises(UserError, match=words):
        GptConfig(**changes)


def test_a_config_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GptConfig().hidden_size = 5
