import re

import pytest

from minitransformer.interop.layouts.gpt2 import GPT2, ROWS
from minitransformer.interop.tensor_layout import SAME, THIRDS
from minitransformer.models.gpt import Gpt
from tests.small_models import small_gpt_config

TENSORS = GPT2.tensors
LAYER = {
    "ln_1.weight": [12],
    "ln_1.bias": [12],
    "attn.c_attn.weight": [12, 36],
    "attn.c_attn.bias": [36],
    "attn.c_proj.weight": [12, 12],
    "attn.c_proj.bias": [12],
    "ln_2.weight": [12],
    "ln_2.bias": [12],
    "mlp.c_fc.weight": [12, 7],
    "mlp.c_fc.bias": [7],
    "mlp.c_proj.weight": [7, 12],
    "mlp.c_proj.bias": [12],
}
EXPECTED = {
    "transformer.wte.weight": [23, 12],
    "transformer.wpe.weight": [9, 12],
    **{f"transformer.h.{i}.{name}": shape for i in range(2) for name, shape in LAYER.items()},
    "transformer.ln_f.weight": [12],
    "transformer.ln_f.bias": [12],
}


def model(**changes):
    return Gpt(small_gpt_config(**changes), seed=3)


def test_names_and_shapes_are_those_of_hugging_face():
    assert {name: list(array.shape) for name, array in model().state_dict().items()} == EXPECTED


def test_a_head_of_its_own_has_hugging_faces_name_too():
    state = model(tie_word_embeddings=False).state_dict()
    assert {name: list(array.shape) for name, array in state.items()} == {**EXPECTED, "lm_head.weight": [23, 12]}


def test_every_row_of_the_table_is_of_a_model_that_is_built_here():
    names = {name for name, _ in model(tie_word_embeddings=False).named_parameters()}
    assert {re.sub(r"\.\d+\.", ".{i}.", name) for name in names} == {row.ours for row in ROWS}


def test_no_matrix_is_transposed_and_query_key_and_value_are_thirds_of_one():
    assert TENSORS.find("layers.1.attention.output.weight") == ("transformer.h.1.attn.c_proj.weight", SAME)
    for third, name in enumerate(("query", "key", "value")):
        assert TENSORS.find(f"layers.1.attention.{name}.bias") == ("transformer.h.1.attn.c_attn.bias", THIRDS[third])
    layer = model().layers[1].attention
    whole = model().state_dict()["transformer.h.1.attn.c_attn.weight"]
    for third, linear in enumerate((layer.query, layer.key, layer.value)):
        assert (whole[:, 12 * third : 12 * third + 12] == linear.weight.value).all()


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_attention_buffers_are_no_tensors_but_biases_are(prefix):
    names = [f"{prefix}h.0.attn.{name}" for name in ("bias", "masked_bias", "c_attn.bias", "c_proj.bias")]
    assert [*TENSORS.index(names).values()] == names[2:]


def test_an_unknown_tensor_of_a_layer_is_told_from_a_head():
    unknown = ["score.weight", "transformer.h.0.crossattention.c_attn.weight"]
    assert TENSORS.of_the_encoder(unknown) == unknown[1:]
