import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from minitransformer import (
    Bert,
    BertForSequenceClassification,
    ClassifierSettings,
    Gpt,
    LoraSettings,
    PackedTokens,
    SentenceEncoder,
    add_lora,
)
from minitransformer.errors import UserError
from minitransformer.interop.lora_settings import read_lora_settings
from minitransformer.models.encoders import TRANSFORMERS
from minitransformer.models.sentence_encoder_settings import DenseSettings
from minitransformer.nn.lora import LoraDense, LoraLinear
from minitransformer.training.optimizer.adamw import AdamW
from tests.gradient_check import assert_parameter_gradients
from tests.small_encoders import random_texts, small_encoder
from tests.small_models import random_tokens, randomise, small_config, small_gpt, small_gpt_config

H, F, RANK = 12, 7, 2
SETTINGS = LoraSettings(RANK, 5, ("query", "value"))
EVERY_LAYER = LoraSettings(RANK, 5, ("query", "key", "value", "intermediate.dense", "output.dense"), 0.2, True)
LABELS = ClassifierSettings(("no", "maybe", "yes"))
HEADS = ("classifier", "bert.pooler")
TARGETS = np.array([2, 0, 1, 2, 2])


def saved_bert(folder, dtype=np.float32):
    randomise(Bert(small_config(), dtype=dtype), std=0.3).save_pretrained(folder)
    return folder


def adapted(base, lora=SETTINGS, model_type=Bert, heads=(), dtype=np.float64, **options):
    """A model with updates that are as random as everything else; float64 values that are float32 numbers."""
    model = model_type.from_pretrained(base, dtype=dtype, **options)
    add_lora(model, LoraSettings(**{**vars(lora), "base": str(base)}), heads)
    randomise(model, seed=8, std=0.3)
    model.storage.values[...] = model.storage.values.astype(np.float32)
    return model


def adapted_classifier(base, lora=SETTINGS):
    return adapted(base, lora, BertForSequenceClassification, HEADS, settings=LABELS)


# -- in the model ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [SETTINGS, EVERY_LAYER])
def test_at_first_the_model_computes_what_it_did_before(settings):
    model, tokens = randomise(Bert(small_config(), dtype=np.float64)), random_tokens(small_config())
    expected = model.hidden(tokens)
    add_lora(model, settings)
    np.testing.assert_array_equal(model.hidden(tokens), expected)


def test_the_layers_that_the_targets_name_have_updates_and_only_updates_are_trained():
    model = Bert(small_config())
    add_lora(model, SETTINGS)
    trained = {name for name, parameter in model.named_parameters() if parameter.trained}
    parts = [f"layers.{i}.attention.{part}.lora_{ab}" for i in (0, 1) for part in ("query", "value") for ab in "ab"]
    assert trained == {*parts}
    assert isinstance(model.layers[1].attention.value, LoraLinear)
    assert not isinstance(model.layers[1].attention.key, LoraLinear)


def test_the_whole_of_the_encoders_layers_can_have_updates_and_the_pooler_has_none():
    model = Bert(small_config())
    add_lora(model, EVERY_LAYER)
    for layer in model.layers:
        linears = [module for _, module in layer.named_modules() if isinstance(module, LoraLinear)]
        assert len(linears) == 6
        assert isinstance(layer.feed_forward.inner, LoraDense)
    assert not isinstance(model.pooler, LoraLinear)


def test_a_begins_as_in_peft_differently_in_each_layer_and_b_with_zero():
    model = Bert(small_config(hidden_size=300, num_hidden_layers=1))
    add_lora(model, SETTINGS, seed=4)
    query, value = model.layers[0].attention.query, model.layers[0].attention.value
    limit = 1 / np.sqrt(300)
    assert 0.95 * limit < np.abs(query.lora_a.value).max() <= limit
    assert np.abs(query.lora_a.value.mean()) < 0.1 * limit
    assert (query.lora_a.value != value.lora_a.value).any()
    assert not query.lora_b.value.any()


def test_gradients_and_moments_have_the_size_of_the_adapter():
    model = Bert(small_config(vocab_size=5000))
    before = {name: parameter.value.copy() for name, parameter in model.named_parameters()}
    add_lora(model, SETTINGS)
    size = 2 * 2 * RANK * (H + H)  # layers, targets
    optimizer = AdamW(model.storage)
    assert model.storage.gradients.size == optimizer.m.size == optimizer.v.size == size < 0.01 * model.num_parameters
    assert model.replica().storage.gradients.size == size
    frozen = {parameter.storage for _, parameter in model.named_parameters() if not parameter.trained}
    assert len(frozen) == 1
    assert all(vars(storage)["_gradients"] is None for storage in frozen)
    for name, parameter in model.named_parameters():
        if name in before:
            np.testing.assert_array_equal(parameter.value, before[name])


def test_gpts_query_key_and_value_share_their_a_which_gets_the_gradients_of_all_three():
    model, tokens = small_gpt(), random_tokens(small_gpt_config())
    expected = model(tokens)
    add_lora(model, LoraSettings(RANK, 5, ("c_attn",)))
    np.testing.assert_array_equal(model(tokens), expected)
    attention = model.layers[1].attention
    assert attention.query.lora_a is attention.key.lora_a is attention.value.lora_a
    assert model.storage.values.size == 2 * RANK * (H + 3 * H)
    randomise(model)
    loss, cache = model.forward(tokens)
    model.backward(cache)
    assert loss.total != pytest.approx(-np.log(1 / 23))
    assert_parameter_gradients(model, lambda: model.forward(tokens)[0].total)


def test_gpt_says_the_same_token_by_token_with_lora():
    model, tokens = small_gpt(), random_tokens(small_gpt_config(), lengths=(7,))
    add_lora(model, LoraSettings(RANK, 5, ("c_attn", "c_fc", "c_proj")))
    randomise(model)
    seen = model.key_values(1)
    rows = [model(PackedTokens.pack([[token]]), seen) for token in tokens.token_ids]
    np.testing.assert_allclose(np.concatenate(rows), model(tokens), rtol=1e-9)


@pytest.mark.parametrize("settings", [SETTINGS, EVERY_LAYER])
def test_gradients_equal_central_differences_with_b_at_random(tmp_path, settings):
    model, tokens = adapted_classifier(saved_bert(tmp_path, np.float64), settings), random_tokens(small_config())

    def loss():
        return model.forward(tokens, TARGETS, rng=np.random.default_rng(3))[0]

    model.zero_grad()
    _, cache = model.forward(tokens, TARGETS, rng=np.random.default_rng(3))
    model.backward(cache)
    assert model.storage.gradients.any()
    assert_parameter_gradients(model, loss)


def test_a_step_changes_every_update_and_head_and_nothing_that_is_frozen(tmp_path):
    model, tokens = adapted_classifier(saved_bert(tmp_path)), random_tokens(small_config())
    before = {name: parameter.value.copy() for name, parameter in model.named_parameters()}
    _, cache = model.forward(tokens, TARGETS)
    model.backward(cache)
    AdamW(model.storage).step(1e-2)
    for name, parameter in model.named_parameters():
        assert (parameter.value == before[name]).any() == (not parameter.trained), name


def test_targets_that_name_nothing_are_refused():
    for targets in (("c_attn",), "query", ("uery",)):
        with pytest.raises(UserError, match=r"LoRA's targets .* name no linear layer of the model's encoder"):
            add_lora(Bert(small_config()), LoraSettings(2, 4, targets))
    with pytest.raises(UserError, match=r"LoRA's targets name the pooler, too \(pooler.dense\)"):
        add_lora(Bert(small_config()), LoraSettings(2, 4, ("dense",)))
    model = Bert(small_config())
    add_lora(model, SETTINGS)
    with pytest.raises(UserError, match="has no part 'classifer' to train beside its updates"):
        add_lora(BertForSequenceClassification(small_config()), SETTINGS, heads=("classifer",))
    with pytest.raises(UserError, match="has LoRA already"):
        add_lora(model, SETTINGS)


def test_a_refused_change_leaves_the_model_as_it_was():
    model = Bert(small_config())
    values = model.storage.values
    with pytest.raises(UserError):
        add_lora(model, LoraSettings(13, 4, ("query",)))
    assert model.storage.values is values
    assert model.storage.values.size == model.num_parameters
    assert all(parameter.trained for _, parameter in model.named_parameters())


def test_targets_may_be_one_regular_expression():
    model = Bert(small_config())
    add_lora(model, LoraSettings(2, 4, r"encoder\.layer\.1\..*(key|output\.dense)"))
    names = {name.rpartition(".")[0] for name, parameter in model.named_parameters() if parameter.trained}
    assert names == {f"layers.1.{part}" for part in ("attention.key", "attention.output", "feed_forward.outer")}


# -- in a folder -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [SETTINGS, EVERY_LAYER])
def test_the_folder_of_an_adapter_is_a_model_with_the_updates_in_its_weights(tmp_path, settings):
    model, tokens = adapted(saved_bert(tmp_path / "base"), settings), random_tokens(small_config())
    model.save_pretrained(tmp_path / "adapter")
    merged = Bert.from_pretrained(tmp_path / "adapter", dtype=np.float64)
    np.testing.assert_allclose(merged.hidden(tokens), model.hidden(tokens), rtol=1e-10, atol=1e-12)
    assert merged.lora is None
    assert merged.storage.values.size == merged.num_parameters


def test_the_folder_of_an_adapter_holds_the_adapter_alone(tmp_path):
    adapted(saved_bert(tmp_path / "base")).save_pretrained(tmp_path / "adapter")
    assert {path.name for path in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    shapes = {name: tensor.shape for name, tensor in load_file(tmp_path / "adapter/adapter_model.safetensors").items()}
    assert len(shapes) == 8
    module = "base_model.model.encoder.layer.1.attention.self.query"
    assert shapes[f"{module}.lora_A.weight"] == (RANK, H)
    assert shapes[f"{module}.lora_B.weight"] == (H, RANK)


def test_an_adapter_comes_back_as_one_bit_for_bit_and_can_be_trained_on(tmp_path):
    model = adapted_classifier(saved_bert(tmp_path / "base"), EVERY_LAYER)
    model.save_pretrained(tmp_path / "adapter")
    again = BertForSequenceClassification.from_pretrained(tmp_path / "base", dtype=np.float64, settings=LABELS)
    add_lora(again, read_lora_settings(tmp_path / "adapter"), HEADS)
    again.restore(tmp_path / "adapter")
    np.testing.assert_array_equal(again.storage.values, model.storage.values)
    assert again.lora == model.lora


def test_an_adapter_of_gpt_has_one_a_and_one_b_for_query_key_and_value(tmp_path):
    small_gpt().save_pretrained(tmp_path / "base")
    model = adapted(tmp_path / "base", LoraSettings(RANK, 5, ("c_attn",)), Gpt)
    model.save_pretrained(tmp_path / "adapter")
    tensors = load_file(tmp_path / "adapter/adapter_model.safetensors")
    module = "base_model.model.transformer.h.1.attn.c_attn"
    assert tensors[f"{module}.lora_A.weight"].shape == (RANK, H)
    key = model.layers[1].attention.key
    np.testing.assert_array_equal(tensors[f"{module}.lora_B.weight"][H : 2 * H], key.lora_b.value.T)
    assert json.loads((tmp_path / "adapter/adapter_config.json").read_text())["fan_in_fan_out"] is True
    merged = Gpt.from_pretrained(tmp_path / "adapter", dtype=np.float64)
    tokens = random_tokens(small_gpt_config())
    np.testing.assert_allclose(merged(tokens), model(tokens), rtol=1e-10, atol=1e-12)
    again = Gpt.from_pretrained(tmp_path / "base", dtype=np.float64)
    add_lora(again, read_lora_settings(tmp_path / "adapter"))
    again.restore(tmp_path / "adapter")
    np.testing.assert_array_equal(again.storage.values, model.storage.values)


def test_a_classifiers_adapter_keeps_its_head_its_pooler_and_its_labels(tmp_path):
    model = adapted_classifier(saved_bert(tmp_path / "base"))
    model.save_pretrained(tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert config["modules_to_save"] == ["bert.pooler.dense", "classifier"]
    assert config["task_type"] == "SEQ_CLS"
    assert config["fan_in_fan_out"] is False
    loaded = BertForSequenceClassification.from_pretrained(tmp_path / "adapter", dtype=np.float64)
    assert loaded.settings == LABELS
    tokens = random_tokens(small_config())
    np.testing.assert_allclose(loaded(tokens), model(tokens), rtol=1e-10, atol=1e-12)


def test_a_sentence_encoders_adapter_keeps_what_is_around_the_encoder(tmp_path):
    head = DenseSettings(H, 5, "tanh"), "normalise"
    small_encoder(pooling=("max",), head=head).save_pretrained(tmp_path / "base")
    encoder = SentenceEncoder.from_pretrained(tmp_path / "base", dtype=np.float64)
    add_lora(encoder, LoraSettings(RANK, 5, ("query", "value"), base=str(tmp_path / "base")), heads=("head",))
    randomise(encoder, std=0.3)
    encoder.storage.values[...] = encoder.storage.values.astype(np.float32)
    encoder.save_pretrained(tmp_path / "adapter")
    loaded = SentenceEncoder.from_pretrained(tmp_path / "adapter", dtype=np.float64)
    assert loaded.settings == encoder.settings
    texts = random_texts(9)
    np.testing.assert_allclose(loaded.encode(texts), encoder.encode(texts), rtol=1e-9, atol=1e-12)


def test_a_sentence_encoder_of_an_adapter_alone_has_the_pooling_and_tokenizer_of_its_model(tmp_path):
    small_encoder(pooling=("max",)).save_pretrained(tmp_path / "base")
    adapted(tmp_path / "base").save_pretrained(tmp_path / "adapter")
    encoder = SentenceEncoder.from_pretrained(tmp_path / "adapter")
    assert encoder.settings.pooling == ("max",)
    assert encoder.encode(["my dog"]).shape == (1, H)


@pytest.mark.parametrize("family", TRANSFORMERS, ids=lambda family: family.__name__)
def test_every_family_has_updates_of_all_linear_layers_and_an_adapter_of_its_own_names(tmp_path, family):
    small = dict.fromkeys(("vocab_size", "max_position_embeddings"), 23)
    sizes = {"hidden_size": H, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": F}
    randomise(family(family.config_type(**small, **sizes)), std=0.3).save_pretrained(tmp_path / "base")
    model = adapted(tmp_path / "base", LoraSettings(RANK, 5, family.layout.lora_targets), family)
    assert model.storage.values.size == 2 * (4 * RANK * (H + H) + 2 * RANK * (H + F))
    tokens = PackedTokens.pack([[2, 17, 5, 3], [2, 9, 3]])
    d_hidden = np.random.default_rng(6).normal(size=(7, H))
    model.hidden_backward(d_hidden, model.hidden_forward(tokens)[1])
    assert_parameter_gradients(model, lambda: float((model.hidden(tokens) * d_hidden).sum()))

    model.save_pretrained(tmp_path / "adapter")
    merged = family.from_pretrained(tmp_path / "adapter", dtype=np.float64)
    np.testing.assert_allclose(merged.hidden(tokens), model.hidden(tokens), rtol=1e-9, atol=1e-11)
