"""Gpt against transformers' GPT-2: logits, loss, the gradient of every parameter, and folders both ways."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer.errors import UserError
from minitransformer.interop.layouts.gpt2 import GPT2
from minitransformer.models.gpt import Gpt
from minitransformer.text.packed_tokens import PackedTokens
from tests.parity.real_data import data_file
from tests.parity.test_pretraining_parity import TOLERANCES, assert_close, every_dtype
from tests.small_models import random_tokens, small_gpt, small_gpt_config

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from tests.parity.gpt_twin import logits_and_loss, transformers_gpt  # noqa: E402

# Sizes, and the lengths of the texts.
MODELS = {
    "three heads, two layers": ({}, (4, 1, 6, 6, 3)),
    "one head, exact GELU": ({"num_attention_heads": 1, "hidden_act": "gelu"}, (9, 2, 5)),
    "three layers, ReLU": ({"num_hidden_layers": 3, "hidden_act": "relu"}, (7, 7, 2, 4)),
    "a head of its own": ({"tie_word_embeddings": False}, (5, 8)),
    "one text": ({}, (8,)),
    "larger": (
        {
            "vocab_size": 311,
            "hidden_size": 96,
            "num_attention_heads": 4,
            "intermediate_size": 210,
            "max_position_embeddings": 64,
        },
        (64, 31, 50, 50, 2, 17),
    ),
}
every_model = pytest.mark.parametrize(("changes", "lengths"), MODELS.values(), ids=MODELS.keys())


def model_and_tokens(changes, lengths, dtype=np.float64):
    model = small_gpt(dtype, **changes)
    return model, random_tokens(model.config, lengths)


@every_model
@every_dtype
def test_the_logits_of_every_row_and_the_loss_equal_transformers(changes, lengths, dtype):
    model, tokens = model_and_tokens(changes, lengths, dtype)
    logits, expected_loss = logits_and_loss(transformers_gpt(model), tokens)
    assert_close(model(tokens), logits.detach().numpy(), TOLERANCES[dtype])
    loss, _ = model.forward(tokens)
    assert loss.total == pytest.approx(expected_loss.item(), rel=TOLERANCES[dtype])


@every_model
@every_dtype
def test_the_gradient_of_every_parameter_equals_autograd(changes, lengths, dtype):
    model, tokens = model_and_tokens(changes, lengths, dtype)
    twin = transformers_gpt(model)
    logits_and_loss(twin, tokens)[1].backward()
    expected = {name: parameter.grad.numpy() for name, parameter in twin.named_parameters()}
    _, cache = model.forward(tokens)
    model.backward(cache)
    found = model.grad_dict()
    assert set(found) == set(expected)
    # As in BERT's test: the key bias, whose gradient is 0 in theory, holds what either library makes by rounding.
    floor = 1e-2 * max(np.abs(gradient).max() for gradient in expected.values())
    for name, gradient in found.items():
        assert gradient.dtype == dtype
        assert_close(gradient, expected[name], TOLERANCES[dtype], floor, name)


# -- folders -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ours():
    return small_gpt(np.float32)


@pytest.fixture
def tokens(ours):
    return random_tokens(ours.config)


def assert_same_logits(ours, theirs, tokens):
    expected = logits_and_loss(theirs.eval(), tokens)[0].detach().numpy()
    np.testing.assert_allclose(ours(tokens), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def load_theirs(folder, kind=transformers.AutoModelForCausalLM):
    """What transformers makes of the folder, if it finds all it needs and nothing else."""
    model, report = kind.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_transformers_reads_our_folder(tmp_path, tokens, tied):
    model = small_gpt(np.float32, tie_word_embeddings=tied)
    model.save_pretrained(tmp_path)
    theirs = load_theirs(tmp_path)
    assert type(theirs).__name__ == "GPT2LMHeadModel"
    assert_same_logits(model, theirs, tokens)


@pytest.mark.parametrize("tied", [True, False])
def test_we_read_the_folder_of_transformers_and_it_is_the_same_bytes_when_saved_again(tmp_path, tokens, tied, recwarn):
    model = small_gpt(np.float32, tie_word_embeddings=tied)
    theirs = transformers_gpt(model)
    theirs.save_pretrained(tmp_path / "theirs")
    recwarn.clear()
    again = Gpt.from_pretrained(tmp_path / "theirs")
    assert not recwarn.list
    assert again.config == model.config
    np.testing.assert_array_equal(again(tokens), model(tokens))
    again.save_pretrained(tmp_path / "ours")
    first, last = (load_file(tmp_path / folder / "model.safetensors") for folder in ("theirs", "ours"))
    assert first.keys() == last.keys()
    assert all((first[name] == last[name]).all() for name in first)


def write_folder(folder, model, change=lambda tensors: tensors, **settings):
    """transformers' folder with other tensors and settings."""
    transformers_gpt(model).save_pretrained(folder)
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **settings}))
    return folder


def without_prefix(tensors):
    return {name.removeprefix("transformer."): array for name, array in tensors.items()}


def with_buffers(tensors):
    mask = np.tri(9, dtype=np.uint8)[None, None]
    buffers = {f"transformer.h.{i}.attn.bias": mask for i in range(2)}
    return {**tensors, **buffers, "transformer.h.0.attn.masked_bias": np.array(-1e4, np.float32)}


def with_head(factor):
    return lambda tensors: {**tensors, "lm_head.weight": factor * tensors["transformer.wte.weight"]}


def with_head_alone(tensors):
    return {"lm_head.weight" if name == "transformer.wte.weight" else name: array for name, array in tensors.items()}


def in_half_precision(tensors):
    return {name: array.astype(np.float16) for name, array in tensors.items()}


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (without_prefix, {}),
        (with_buffers, {}),
        (with_head(1), {}),
        (with_head(-1), {}),
        (with_head(-1), {"tie_word_embeddings": False}),
        (with_head_alone, {}),
        (in_half_precision, {"dtype": "float32"}),
        (dict, {"n_inner": None}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*decoder of its own")
def test_a_folder_means_what_it_means_to_transformers(tmp_path, tokens, change, settings):
    changes = {"intermediate_size": 48} if "n_inner" in settings else {}
    folder = write_folder(tmp_path, small_gpt(np.float32, **changes), change, **settings)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert_same_logits(Gpt.from_pretrained(folder), theirs, tokens)


def test_transformers_general_names_of_the_sizes_are_read_too(tmp_path, ours, tokens):
    """hidden_size for n_embd, and so on: what transformers calls them in every other model."""
    config_file = write_folder(tmp_path, ours) / "config.json"
    settings = json.loads(config_file.read_text())
    for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"):
        settings[name] = settings.pop(GPT2.config_names[name])
    config_file.write_text(json.dumps(settings))
    assert_same_logits(Gpt.from_pretrained(tmp_path), load_theirs(tmp_path), tokens)


def test_a_sharded_folder_is_read(tmp_path, ours, tokens):
    transformers_gpt(ours).save_pretrained(tmp_path, max_shard_size="5KB")
    assert len([*tmp_path.glob("model-*.safetensors")]) > 1
    np.testing.assert_array_equal(Gpt.from_pretrained(tmp_path)(tokens), ours(tokens))


def test_a_plain_gpt2_model_is_read(tmp_path, ours, tokens):
    """GPT2Model, without the head: its names have no prefix, and the head is the token table."""
    transformers_gpt(ours).transformer.save_pretrained(tmp_path)
    np.testing.assert_array_equal(Gpt.from_pretrained(tmp_path)(tokens), ours(tokens))


def test_a_state_dict_of_torch_is_loaded(ours, tokens):
    again = Gpt(small_gpt_config())
    again.load_state_dict(transformers_gpt(ours).state_dict())
    np.testing.assert_array_equal(again(tokens), ours(tokens))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale_attn_weights": False}, "scale_attn_weights is False"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn is True"),
        ({"add_cross_attention": True}, "add_cross_attention is True"),
        ({"activation_function": "sofplus"}, "hidden_act must be one of"),
        ({"model_type": "bert"}, "model_type is 'bert', expected 'gpt2'"),
        ({"n_layer": 10**9}, "n_layer is 1000000000, but the checkpoint has 2 layers"),
        ({"n_positions": 10}, r"transformer.wpe.weight has the shape \[9, 12\]"),
    ],
)
def test_what_would_compute_something_else_is_refused(tmp_path, ours, settings, message):
    with pytest.raises(UserError, match=message):
        Gpt.from_pretrained(write_folder(tmp_path, ours, **settings))


def test_weights_that_the_model_has_no_place_for_are_named(tmp_path, ours):
    def with_cross_attention(tensors):
        return {**tensors, "transformer.h.0.crossattention.c_proj.bias": np.zeros(12, np.float32)}

    with pytest.warns(UserWarning, match="also holds transformer.h.0.crossattention.c_proj.bias: ignored"):
        Gpt.from_pretrained(write_folder(tmp_path, ours, with_cross_attention))


# -- a trained model ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [0, 1])
def test_a_trained_gpt2_gives_its_reference_outputs(text):
    """A language model of antibodies; reference.npz holds what transformers computed with it in float64."""
    folder = data_file("model_iglm_s_gpt2")
    reference = np.load(folder / "reference.npz")
    model = Gpt.from_pretrained(folder, dtype=np.float64)
    tokens = PackedTokens.pack([reference[f"token_ids_{text}"]])
    np.testing.assert_allclose(model(tokens), reference[f"logits_{text}"], rtol=0, atol=1e-9)
    loss, _ = model.forward(tokens)
    assert loss.total == pytest.approx(float(reference[f"loss_{text}"]), abs=1e-7)  # which is a float32 number
