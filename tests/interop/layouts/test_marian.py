import json
import re

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.interop.layouts.marian import MARIAN, ROWS
from minitransformer.interop.safetensors_files import save_tensors
from minitransformer.models.seq2seq import Seq2Seq
from tests.small_models import small_seq2seq, small_seq2seq_config, sources_and_targets

ATTENTION = {
    f"{name}.{array}": [12, 12] if array == "weight" else [12]
    for name in ("q_proj", "k_proj", "v_proj", "out_proj")
    for array in ("weight", "bias")
}
NORM = {"weight": [12], "bias": [12]}
FEED_FORWARD = {"fc1.weight": [7, 12], "fc1.bias": [7], "fc2.weight": [12, 7], "fc2.bias": [12]}


def under(prefix, tensors):
    return {f"{prefix}.{name}": shape for name, shape in tensors.items()}


COMMON = {
    **under("self_attn", ATTENTION),
    **under("self_attn_layer_norm", NORM),
    **FEED_FORWARD,
    **under("final_layer_norm", NORM),
}
CROSS = {**under("encoder_attn", ATTENTION), **under("encoder_attn_layer_norm", NORM)}
EXPECTED = {
    "model.shared.weight": [23, 12],
    **{name: shape for i in range(3) for name, shape in under(f"model.encoder.layers.{i}", COMMON).items()},
    **{name: shape for i in range(2) for name, shape in under(f"model.decoder.layers.{i}", COMMON | CROSS).items()},
    "final_logits_bias": [1, 23],
}


def model():
    return Seq2Seq(small_seq2seq_config(), seed=3)


def test_names_and_shapes_are_those_of_hugging_face():
    """16 tensors an encoder layer, 26 a decoder layer, the table and the bias."""
    assert {name: list(array.shape) for name, array in model().state_dict().items()} == EXPECTED
    assert len(EXPECTED) == 3 * 16 + 2 * 26 + 2


def test_every_row_of_the_table_is_of_a_model_that_is_built_here():
    names = {name for name, _ in model().named_parameters()}
    assert {re.sub(r"\.\d+\.", ".{i}.", name) for name in names} == {row.ours for row in ROWS}


def test_a_model_comes_back_from_its_folder(tmp_path):
    ours = small_seq2seq(np.float32)
    ours.save_pretrained(tmp_path)
    again = Seq2Seq.from_pretrained(tmp_path)
    assert again.config == ours.config
    np.testing.assert_array_equal(again.storage.values, ours.storage.values)


def test_the_config_says_what_transformers_would_otherwise_take_for_something_else(tmp_path):
    model().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["scale_embedding"] is True
    assert config["forced_eos_token_id"] is None
    assert config["activation_function"] == "relu"
    assert config["decoder_attention_heads"] == config["encoder_attention_heads"] == 3
    assert config["decoder_ffn_dim"] == config["encoder_ffn_dim"] == 7


def write(folder, change=lambda tensors: tensors, **settings):
    small_seq2seq(np.float32).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config = {name: value for name, value in {**config, **settings}.items() if value != "left out"}
    (folder / "config.json").write_text(json.dumps(config))
    save_tensors(change(small_seq2seq(np.float32).state_dict()), folder / "model.safetensors")
    return folder


def without_bias(tensors):
    return {name: array for name, array in tensors.items() if name != "final_logits_bias"}


def with_positions(tensors):
    waves = np.zeros((9, 12), np.float32)
    return {**tensors, **{f"model.{side}.embed_positions.weight": waves for side in ("encoder", "decoder")}}


def with_copies(tensors):
    names = ("lm_head.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
    return {**tensors, **{name: tensors["model.shared.weight"].copy() for name in names}}


@pytest.mark.parametrize("change", [with_positions, with_copies])
def test_what_older_files_also_hold_changes_nothing(tmp_path, change, recwarn):
    again = Seq2Seq.from_pretrained(write(tmp_path, change))
    assert not recwarn.list
    np.testing.assert_array_equal(again.storage.values, small_seq2seq(np.float32).storage.values)


def test_a_file_without_the_bias_means_zeros(tmp_path, recwarn):
    again = Seq2Seq.from_pretrained(write(tmp_path, without_bias))
    assert not recwarn.list
    assert not again.head.bias.value.any()
    batch = sources_and_targets(again.config)
    expected = small_seq2seq(np.float32)
    expected.head.bias.value[...] = 0
    np.testing.assert_array_equal(again(*batch), expected(*batch))


@pytest.mark.parametrize("name", ["lm_head.weight", "model.decoder.embed_tokens.weight"])
def test_another_table_on_one_side_is_refused(tmp_path, name):
    folder = write(tmp_path, lambda tensors: {**tensors, name: -tensors["model.shared.weight"]})
    with pytest.raises(UserError, match="other embeddings in its decoder or head; here all are one table"):
        Seq2Seq.from_pretrained(folder)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scale_embedding": False}, "scale_embedding is False, expected True"),
        ({"scale_embedding": "left out"}, "scale_embedding is False, expected True"),
        ({"activation_function": "swoosh"}, "hidden_act must be one of gelu.*found 'swoosh'"),
        (
            {"decoder_attention_heads": 4},
            "decoder_attention_heads is 4, expected 3: it must be what encoder_attention_heads is",
        ),
        ({"decoder_ffn_dim": 8}, "decoder_ffn_dim is 8, expected 7: it must be what encoder_ffn_dim is"),
        ({"decoder_vocab_size": 24}, "decoder_vocab_size is 24, expected 23: it must be what vocab_size is"),
        ({"share_encoder_decoder_embeddings": False}, "source and target share their embeddings"),
        ({"normalize_before": True}, "LayerNorm comes after each sum"),
        ({"model_type": "bart"}, "model_type is 'bart', expected 'marian'"),
        ({"encoder_layers": 10**9}, "encoder_layers is 1000000000, but the checkpoint has 3 layers"),
        ({"decoder_layers": 3}, "decoder_layers is 3, but the checkpoint has 2 layers"),
        ({"eos_token_id": "left out", "decoder_start_token_id": "left out"}, "decoder_start_token_id must be a token"),
    ],
)
def test_what_would_compute_something_else_is_refused(tmp_path, settings, words):
    with pytest.raises(UserError, match=words):
        Seq2Seq.from_pretrained(write(tmp_path, **settings))


def test_where_a_setting_is_missing_transformers_default_counts(tmp_path):
    """GELU, not the ReLU of our own default."""
    assert Seq2Seq.from_pretrained(write(tmp_path, activation_function="left out")).config.hidden_act == "gelu"


def test_an_unknown_tensor_of_a_layer_is_named(tmp_path):
    extra = {"model.decoder.layers.0.extra.weight": np.zeros(3, np.float32)}
    with pytest.warns(UserWarning, match=r"also holds model.decoder.layers.0.extra.weight: ignored"):
        Seq2Seq.from_pretrained(write(tmp_path, lambda tensors: {**tensors, **extra}))


def test_the_layout_has_no_lora_targets_of_its_own():
    assert MARIAN.lora_targets == ()
