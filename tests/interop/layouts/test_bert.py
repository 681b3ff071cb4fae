import re

import pytest

from minitransformer import Bert, BertConfig, BertForPreTraining, BertForSequenceClassification, ClassifierSettings
from minitransformer.errors import UserError
from minitransformer.interop.layouts.bert import BERT as LAYOUT
from minitransformer.interop.layouts.bert import ROWS
from minitransformer.models.sentence_encoder_settings import DenseSettings
from tests.small_encoders import small_encoder

TENSORS = LAYOUT.tensors


def find(parameter, names):
    """Which of the names in a file is our parameter's."""
    return TENSORS.index(names)[TENSORS.canonical(TENSORS.find(parameter)[0])]


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


def test_every_row_of_the_table_is_of_a_model_that_is_built_here():
    classifier = BertForSequenceClassification(CONFIG, ClassifierSettings(hidden_sizes=(5,)), seed=None)
    encoder = small_encoder(head=(DenseSettings(12, 5), "layer_norm"))
    untied = BertForPreTraining(BertConfig(**{**vars(CONFIG), "tie_word_embeddings": False}), seed=None)
    models = classifier, encoder, untied
    names = {name for model in models for name, _ in model.named_parameters()}
    ours = {re.sub(r"\.\d+\.", ".{i}.", re.sub("^(bert|encoder)\\.", "", name)) for name in names}
    assert ours == {row.ours for row in ROWS}


@pytest.mark.parametrize(
    ("parameter", "found"),
    [
        ("bert.layers.1.output_norm.beta", "bert.encoder.layer.1.output.LayerNorm.beta"),
        ("bert.embeddings.norm.gamma", "embeddings.LayerNorm.gamma"),
        ("embeddings.norm.gamma", "bert.embeddings.LayerNorm.weight"),
        ("mlm_head.norm.gamma", "cls.predictions.transform.LayerNorm.gamma"),
        ("pooler.weight", "bert.pooler.dense.weight"),
    ],
)
def test_prefix_and_old_names_of_layer_norm_do_not_matter(parameter, found):
    assert find(parameter, [found]) == found


def test_two_names_of_one_tensor_are_refused():
    with pytest.raises(UserError, match=r"pooler.dense.bias and bert.pooler.dense.bias are two names of one tensor"):
        TENSORS.index(["pooler.dense.bias", "bert.pooler.dense.bias"])
    with pytest.raises(UserError, match="one tensor"):
        TENSORS.index(["embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"])


def test_buffers_are_no_tensors():
    assert TENSORS.index(["bert.embeddings.position_ids", "embeddings.token_type_ids"]) == {}


def test_the_decoders_bias_counts_as_in_transformers():
    found = ["cls.predictions.bias", "cls.predictions.decoder.bias"]
    assert find("mlm_head.decoder.bias", found) == "cls.predictions.decoder.bias"


def test_heads_have_names_that_people_use():
    assert TENSORS.head_of("mlm_head.decoder.bias") == "masked-LM head"
    assert TENSORS.head_of("bert.pooler.bias") == TENSORS.head_of("pooler.bias") == "pooler"
    assert TENSORS.head_of("bert.layers.0.attention.query.weight") is None


def test_a_part_of_the_encoder_is_told_from_a_head():
    unknown = ["qa_outputs.weight", "bert.pooler.dense.bias", "bert.encoder.layer.0.attention.self.distance.weight"]
    assert TENSORS.of_the_encoder(unknown) == unknown[2:]
