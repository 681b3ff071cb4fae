import dataclasses

import pytest

from minitransformer.errors import UserError
from minitransformer.interop.config_file import ACTIVATION_NAMES
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import PRESETS, BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.nn.activation import ACTIVATIONS


def test_the_defaults_are_those_of_bert_base():
    assert BertConfig() == BertConfig.preset("base")
    assert BertConfig() == BertConfig(
        vocab_size=30522,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        hidden_act="gelu",
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        max_position_embeddings=512,
        type_vocab_size=2,
        initializer_range=0.02,
        layer_norm_eps=1e-12,
        pad_token_id=0,
    )


@pytest.mark.parametrize(
    ("name", "encoder_and_pooler", "with_both_heads"),
    [
        ("tiny", 4_385_920, 4_433_468),
        ("mini", 11_170_560, 11_267_900),
        ("small", 28_763_648, 29_058_876),
        ("medium", 41_373_184, 41_668_412),
        ("base", 109_482_240, 110_106_428),
        ("large", 335_141_888, 336_226_108),
    ],
)
def test_the_presets_have_the_published_numbers_of_parameters(name, encoder_and_pooler, with_both_heads):
    """Counted from the shapes: no weights are made."""
    config = BertConfig.preset(name)
    assert Bert(config, seed=None).num_parameters == encoder_and_pooler
    assert BertForPreTraining(config, seed=None).num_parameters == with_both_heads
    assert config.hidden_size == 64 * config.num_attention_heads


def test_a_preset_takes_changes():
    config = BertConfig.preset("tiny", vocab_size=8192, hidden_size=192, num_attention_heads=3)
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers) == (8192, 192, 2)


def test_an_unknown_preset_is_refused_with_the_names_of_all():
    with pytest.raises(UserError, match="no preset 'huge'.*" + ", ".join(PRESETS)):
        BertConfig.preset("huge")


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_name_of_an_activation_leads_to_one(name):
    assert BertConfig(hidden_act=name).activation in ACTIVATIONS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": 130, "num_attention_heads": 4}, "hidden_size 130 isn't a multiple of num_attention_heads 4"),
        ({"vocab_size": 0}, "vocab_size must be a whole number of at least 1, found 0"),
        ({"num_hidden_layers": -1}, "num_hidden_layers must be a whole number of at least 0, found -1"),
        ({"intermediate_size": 5.0}, "intermediate_size must be a whole number of at least 1, found 5.0"),
        ({"num_attention_heads": True}, "num_attention_heads must be a whole number of at least 1, found True"),
        ({"max_position_embeddings": "512"}, "max_position_embeddings must be a whole number of at least 1"),
        ({"hidden_dropout_prob": 1}, "hidden_dropout_prob must be a number of at least 0 and below 1, found 1"),
        ({"attention_probs_dropout_prob": -0.1}, "attention_probs_dropout_prob must be a number of at least 0"),
        ({"hidden_dropout_prob": None}, "hidden_dropout_prob must be a number of at least 0 and below 1, found None"),
        ({"layer_norm_eps": 0}, "layer_norm_eps must be a number above 0, found 0"),
        ({"initializer_range": float("nan")}, "initializer_range must be a number above 0, found nan"),
        ({"hidden_act": ["gelu"]}, "hidden_act must be one of"),
        ({"hidden_act": "sofplus"}, f"hidden_act must be one of {', '.join(ACTIVATION_NAMES)}, found 'sofplus'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_was_expected(changes, words):
    with pytest.raises(UserError, match=words):
        BertConfig(**changes)


def test_a_config_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BertConfig().hidden_size = 5
