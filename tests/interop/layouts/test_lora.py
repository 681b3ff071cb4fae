import pytest

from minitransformer.errors import UserError
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.layouts.gpt2 import GPT2
from minitransformer.interop.layouts.lora import adapter_layout
from minitransformer.interop.tensor_layout import SAME, TRANSPOSED

OF_BERT, OF_GPT2 = adapter_layout(BERT.tensors), adapter_layout(GPT2.tensors)
QUERY = "base_model.model.{}encoder.layer.7.attention.self.query"


def test_a_and_b_are_called_as_the_weight_they_change_and_stored_transposed():
    assert OF_BERT.find("layers.7.attention.query.lora_a") == (QUERY.format("") + ".lora_A.weight", TRANSPOSED)
    assert OF_BERT.find("bert.layers.7.attention.query.lora_b") == (
        QUERY.format("bert.") + ".lora_B.weight",
        TRANSPOSED,
    )
    assert TRANSPOSED.shape_there((12, 2)) == (2, 12)


def test_a_head_is_called_as_in_its_model():
    assert OF_BERT.find("classifier.weight") == ("base_model.model.classifier.weight", TRANSPOSED)
    assert OF_BERT.find("bert.pooler.bias") == ("base_model.model.bert.pooler.dense.bias", SAME)


@pytest.mark.parametrize(("part", "third"), [("query", 0), ("key", 1), ("value", 2)])
def test_gpts_query_key_and_value_have_one_a_and_a_third_of_b_each(part, third):
    a, b = (OF_GPT2.find(f"layers.3.attention.{part}.lora_{letter}") for letter in "ab")
    assert a[0] == "base_model.model.transformer.h.3.attn.c_attn.lora_A.weight"
    assert b[0] == "base_model.model.transformer.h.3.attn.c_attn.lora_B.weight"
    assert b[1].third == third
    assert b[1].shape_there((2, 12)) == (36, 2)


def test_names_in_memory_and_without_the_models_prefix_are_the_same_tensors():
    canonical = "encoder.layer.7.attention.self.query.lora_A.weight"
    for model_prefix in ("", "bert."):
        for end in (".lora_A.weight", ".lora_A.default.weight"):
            assert OF_BERT.canonical(QUERY.format(model_prefix) + end) == canonical
    saved = "base_model.model.classifier.modules_to_save.default.bias"
    assert OF_BERT.canonical(saved) == "classifier.bias"


def test_a_name_without_pefts_prefix_is_refused():
    with pytest.raises(UserError, match=r"are called base_model.model.*, found encoder.layer.0"):
        OF_BERT.canonical("encoder.layer.0.attention.self.query.lora_A.weight")
