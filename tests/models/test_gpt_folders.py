"""GPT-2's folders without transformers at hand; tests/parity reads and writes them with it."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer.errors import UserError
from minitransformer.models.gpt import Gpt
from tests.small_models import random_tokens, small_gpt, small_gpt_config


@pytest.fixture
def model():
    return small_gpt(np.float32)


def write_folder(folder, model, change=dict, **settings):
    """The model's folder with changed tensors and other settings; the setting None is left out."""
    model.save_pretrained(folder)
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")
    config = {**json.loads((folder / "config.json").read_text()), **settings}
    config = {name: value for name, value in config.items() if name not in settings or value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def assert_same(found, model):
    tokens = random_tokens(model.config)
    np.testing.assert_array_equal(found(tokens), model(tokens))


@pytest.mark.parametrize("tied", [True, False])
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, tied, recwarn):
    model = small_gpt(np.float32, tie_word_embeddings=tied, eos_token_id=7)
    model.save_pretrained(tmp_path)
    found = Gpt.from_pretrained(tmp_path)
    assert found.config == model.config
    np.testing.assert_array_equal(found.storage.values, model.storage.values)
    assert not recwarn.list
    assert {file.name for file in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


def test_config_json_has_gpt2s_names(tmp_path, model):
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text()) == {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "dtype": "float32",
        "vocab_size": 23,
        "n_embd": 12,
        "n_layer": 2,
        "n_head": 3,
        "n_inner": 7,
        "activation_function": "gelu_new",
        "embd_pdrop": 0.1,
        "resid_pdrop": 0.1,
        "attn_pdrop": 0.1,
        "n_positions": 9,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-5,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": True,
    }


def without_prefix(tensors):
    return {name.removeprefix("transformer."): array for name, array in tensors.items()}


def with_buffers(tensors):
    return {**tensors, "transformer.h.1.attn.bias": np.ones((1, 1, 9, 9), np.uint8)}


def with_equal_head(tensors):
    return {**tensors, "lm_head.weight": tensors["transformer.wte.weight"]}


def with_head_alone(tensors):
    return {"lm_head.weight" if name == "transformer.wte.weight" else name: array for name, array in tensors.items()}


@pytest.mark.parametrize("change", [without_prefix, with_buffers, with_equal_head, with_head_alone])
def test_other_ways_to_write_the_same_model_are_read(tmp_path, model, change, recwarn):
    assert_same(Gpt.from_pretrained(write_folder(tmp_path, model, change)), model)
    assert not recwarn.list


def test_transformers_general_names_of_the_sizes_are_read_too(tmp_path, model):
    general = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": 9}
    theirs = dict.fromkeys(("n_embd", "n_layer", "n_head", "n_positions"))
    assert_same(Gpt.from_pretrained(write_folder(tmp_path, model, **general, **theirs)), model)


def test_a_head_that_differs_from_the_token_table_is_the_models_own(tmp_path, model):
    def with_other_head(tensors):
        return {**tensors, "lm_head.weight": -tensors["transformer.wte.weight"]}

    with pytest.warns(UserWarning, match="has a decoder of its own: the model is loaded untied"):
        found = Gpt.from_pretrained(write_folder(tmp_path, model, with_other_head))
    tokens = random_tokens(model.config)
    np.testing.assert_array_equal(found(tokens), -model(tokens))
    with pytest.raises(UserError, match="differs from the token embedding"):
        model.load_state_dict(found.state_dict())


def test_an_untied_model_without_its_head_gets_a_new_one_and_says_so(tmp_path, model):
    with pytest.warns(UserWarning, match="has no vocabulary head: new, with random values"):
        found = Gpt.from_pretrained(write_folder(tmp_path, model, tie_word_embeddings=False))
    assert found.head.table is not found.embeddings.token.table


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scale_attn_weights": False}, "scale_attn_weights is False, expected True"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True, expected False"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn is True"),
        ({"add_cross_attention": True}, "add_cross_attention is True"),
        ({"activation_function": "laplace"}, "must be one of gelu"),
        ({"model_type": "llama"}, "model_type is 'llama', expected 'gpt2'"),
        ({"n_layer": 10**12}, "n_layer is 1000000000000, but the checkpoint has 2 layers"),
        ({"n_embd": None}, "the tensor transformer.wte.weight has the shape"),
        ({"n_positions": None, "n_ctx": 9}, "the tensor transformer.wpe.weight has the shape"),
    ],
)
def test_what_would_compute_something_else_is_refused_by_name(tmp_path, model, settings, words):
    with pytest.raises(UserError, match=words) as error:
        Gpt.from_pretrained(write_folder(tmp_path, model, **settings))
    assert str(tmp_path) in str(error.value)


def test_a_missing_tensor_is_named(tmp_path, model):
    def without_a_norm(tensors):
        return {name: array for name, array in tensors.items() if "h.1.ln_2" not in name}

    with pytest.raises(UserError, match=r"lacks transformer.h.1.ln_2.weight, transformer.h.1.ln_2.bias"):
        Gpt.from_pretrained(write_folder(tmp_path, model, without_a_norm))


def test_a_dictionary_of_another_shape_is_refused_and_changes_nothing(model):
    before = model.storage.values.copy()
    state = {**model.state_dict(), "transformer.h.0.attn.c_proj.weight": np.zeros((12, 13))}
    with pytest.raises(UserError, match=r"c_proj.weight has the shape \[12, 13\]"):
        model.load_state_dict(state)
    np.testing.assert_array_equal(model.storage.values, before)


def test_grad_dict_has_the_names_and_shapes_of_state_dict(model):
    _, cache = model.forward(random_tokens(small_gpt_config()))
    model.backward(cache)
    gradients = model.grad_dict()
    assert {name: array.shape for name, array in gradients.items()} == {
        name: array.shape for name, array in model.state_dict().items()
    }
    key = gradients["transformer.h.0.attn.c_attn.weight"][:, 12:24]
    np.testing.assert_array_equal(key, model.layers[0].attention.key.weight.grad)
