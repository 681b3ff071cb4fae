import numpy as np
import pytest

from minitransformer import Bert, BertConfig, BertForPreTraining
from minitransformer.errors import UserError
from minitransformer.interop.tensor_names import (
    canonical_name,
    canonical_names,
    hugging_face_name,
    match_names,
    number_of_layers,
    turned,
)

CONFIG = BertConfig(
    vocab_size=11,
    hidden_size=6,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=10,
    max_position_embeddings=9,
    type_vocab_size=4,
)
LAYER = {
    "attention.self.query.weight": [6, 6],
    "attention.self.query.bias": [6],
    "attention.self.key.weight": [6, 6],
    "attention.self.key.bias": [6],
    "attention.self.value.weight": [6, 6],
    "attention.self.value.bias": [6],
    "attention.output.dense.weight": [6, 6],
    "attention.output.dense.bias": [6],
    "attention.output.LayerNorm.weight": [6],
    "attention.output.LayerNorm.bias": [6],
    "intermediate.dense.weight": [10, 6],
    "intermediate.dense.bias": [10],
    "output.dense.weight": [6, 10],
    "output.dense.bias": [6],
    "output.LayerNorm.weight": [6],
    "output.LayerNorm.bias": [6],
}
BERT = {
    "embeddings.word_embeddings.weight": [11, 6],
    "embeddings.position_embeddings.weight": [9, 6],
    "embeddings.token_type_embeddings.weight": [4, 6],
    "embeddings.LayerNorm.weight": [6],
    "embeddings.LayerNorm.bias": [6],
    **{f"encoder.layer.{i}.{name}": shape for i in range(2) for name, shape in LAYER.items()},
    "pooler.dense.weight": [6, 6],
    "pooler.dense.bias": [6],
}
PRETRAINING = {
    **{f"bert.{name}": shape for name, shape in BERT.items()},
    "cls.predictions.bias": [11],
    "cls.predictions.transform.dense.weight": [6, 6],
    "cls.predictions.transform.dense.bias": [6],
    "cls.predictions.transform.LayerNorm.weight": [6],
    "cls.predictions.transform.LayerNorm.bias": [6],
    "cls.seq_relationship.weight": [2, 6],
    "cls.seq_relationship.bias": [2],
}


@pytest.mark.parametrize(("model_class", "expected"), [(Bert, BERT), (BertForPreTraining, PRETRAINING)])
def test_names_and_shapes_are_those_of_hugging_face(model_class, expected):
    state = model_class(CONFIG).state_dict()
    assert {name: list(array.shape) for name, array in state.items()} == expected


def test_an_untied_decoder_has_hugging_faces_names_too():
    untied = BertConfig(**{**vars(CONFIG), "tie_word_embeddings": False})
    state = BertForPreTraining(untied).state_dict()
    assert {*state} == {*PRETRAINING, "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    assert state["cls.predictions.decoder.weight"].shape == (11, 6)


def test_only_weights_of_linear_layers_are_turned():
    array = np.zeros((2, 3))
    assert turned("layers.0.feed_forward.inner.weight", array).shape == (3, 2)
    assert turned("embeddings.token.table", array).shape == (2, 3)
    assert turned("mlm_head.table", array).shape == (2, 3)


def test_a_module_that_bert_does_not_have_keeps_its_name():
    assert hugging_face_name("classifier.weight") == "classifier.weight"
    assert hugging_face_name("hidden.0.bias") == "hidden.0.bias"


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("bert.encoder.layer.1.output.LayerNorm.beta", "encoder.layer.1.output.LayerNorm.bias"),
        ("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
        ("cls.predictions.transform.LayerNorm.gamma", "cls.predictions.transform.LayerNorm.weight"),
        ("pooler.dense.weight", "pooler.dense.weight"),
    ],
)
def test_prefix_and_old_names_of_layer_norm_do_not_matter(name, canonical):
    assert canonical_name(name) == canonical


def test_two_names_of_one_tensor_are_refused():
    with pytest.raises(UserError, match=r"both pooler.dense.bias and bert.pooler.dense.bias"):
        canonical_names(["pooler.dense.bias", "bert.pooler.dense.bias"])
    with pytest.raises(UserError, match="one tensor"):
        canonical_names(["embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"])


def test_buffers_are_no_tensors():
    assert canonical_names(["bert.embeddings.position_ids", "embeddings.token_type_ids"]) == {}


def test_what_is_missing_and_what_is_unused():
    match = match_names(["pooler.dense.bias", "nsp_head.bias"], ["bert.pooler.dense.bias", "adapter.weight"])
    assert match.sources == {"pooler.dense.bias": "bert.pooler.dense.bias"}
    assert match.missing == ["nsp_head.bias"]
    assert match.unused == ["adapter.weight"]


def test_layers_are_counted_by_what_is_there_not_by_the_largest_number():
    assert number_of_layers(["bert.encoder.layer.999999999.x", "encoder.layer.0.x", "encoder.layer.0.y"]) == 2
