import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer.cli._models import load_pretraining_model
from minitransformer.errors import UserError
from minitransformer.inference.prediction import load_predictor
from minitransformer.models.bert import Bert
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.sentence_encoder_settings import DenseSettings
from minitransformer.ops.pooling import mean_pooling_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_parameter_gradients, upstream
from tests.small_encoders import POSITIONS, TOKENIZER, small_encoder
from tests.small_models import small_config

TEXTS = ["my dog is cute", "he likes playing", "", "a b c a b c"]
ALL_POOLINGS = ("cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken")
HEAD = (DenseSettings(72, 7), "layer_norm", DenseSettings(7, 5, "silu"), "normalise")


@pytest.fixture
def encoder():
    return small_encoder()


def test_the_embedding_is_the_mean_of_the_rows_of_bert(encoder):
    tokens = encoder.tokenize(TEXTS)
    hidden, _ = encoder.encoder(tokens)
    expected, _ = mean_pooling_forward(hidden, tokens.lengths)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, rtol=1e-4, atol=1e-6)
    assert encoder.embedding_size == expected.shape[1]


def test_poolings_stand_side_by_side_and_the_head_follows():
    encoder = small_encoder(pooling=ALL_POOLINGS)
    alone = [small_encoder(pooling=(pooling,)).encode(TEXTS) for pooling in ALL_POOLINGS]
    np.testing.assert_allclose(encoder.encode(TEXTS), np.concatenate(alone, axis=1), rtol=1e-4, atol=1e-5)
    with_head = small_encoder(pooling=ALL_POOLINGS, head=HEAD)
    embeddings = with_head.encode(TEXTS)
    assert embeddings.shape == (4, with_head.embedding_size) == (4, 5)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_the_first_columns_may_be_all_that_is_kept(encoder):
    short = small_encoder(truncate_dim=5)
    assert short.embedding_size == 5
    np.testing.assert_allclose(short.encode(TEXTS), encoder.encode(TEXTS)[:, :5], rtol=1e-5)
    assert small_encoder(truncate_dim=99).embedding_size == encoder.embedding_size


def test_an_embedding_that_is_no_number_is_refused_and_the_largest_weight_named(encoder):
    encoder.encoder.layers[1].output_norm.gamma.value[...] = 3e38
    with (
        np.errstate(all="ignore"),
        pytest.raises(UserError, match=r"not a finite number; .*, 3e\+38, is in encoder.lay"),
    ):
        encoder.encode("my dog is cute")


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"pooling": ALL_POOLINGS, "head": HEAD}, {"head": ("normalise",)}])
def test_gradients_equal_central_differences(settings):
    encoder = small_encoder(np.float64, **settings)
    tokens = encoder.tokenize(TEXTS)
    embeddings, cache = encoder.forward(tokens)
    d_embeddings = upstream(embeddings)
    encoder.zero_grad()
    encoder.backward(d_embeddings, cache)
    assert_parameter_gradients(encoder, lambda: float((encoder.forward(tokens)[0] * d_embeddings).sum()))


def test_forward_is_encode_without_dropout_and_differs_with_it(encoder):
    tokens = encoder.tokenize(TEXTS)
    np.testing.assert_allclose(encoder.forward(tokens)[0], encoder.encode(TEXTS), rtol=1e-4, atol=1e-6)
    assert (encoder.forward(tokens, generator(0, "dropout"))[0] != encoder(tokens)).any()


def test_a_replica_shares_values_and_has_its_own_gradients(encoder):
    replica = encoder.replica()
    embeddings, cache = replica.forward(replica.tokenize(TEXTS))
    replica.backward(np.ones_like(embeddings), cache)
    assert replica.storage.values is encoder.storage.values
    assert replica.storage.gradients.any()
    assert not encoder.storage.gradients.any()


# -- folders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pooling": ALL_POOLINGS, "head": HEAD},
        {"pooling": ("mean", "cls"), "head": ("normalise",)},
        {"prompts": {"query": "my "}, "default_prompt_name": "query", "include_prompt": False, "similarity": "dot"},
        {"max_seq_length": 4, "do_lower_case": True},
        {"head": (DenseSettings(12, 7),), "truncate_dim": 3},
    ],
)
def test_a_saved_encoder_comes_back_bit_for_bit(tmp_path, recwarn, settings):
    encoder = small_encoder(**settings)
    encoder.save_pretrained(tmp_path)
    loaded = SentenceEncoder.from_pretrained(tmp_path)
    expected = encoder.encode(TEXTS, truncation="silent")
    np.testing.assert_array_equal(loaded.encode(TEXTS, truncation="silent"), expected)
    assert loaded.max_seq_length == encoder.max_seq_length
    assert loaded.settings == dataclasses.replace(encoder.settings, max_seq_length=encoder.max_seq_length)
    assert not recwarn.list


@pytest.mark.parametrize("settings", [{}, {"pooling": ALL_POOLINGS, "head": HEAD}])
def test_an_encoder_restored_from_a_folder_has_all_its_values(tmp_path, settings):
    small_encoder(**settings).save_pretrained(tmp_path)
    restored = small_encoder(seed=5, **settings)
    storage = restored.storage
    restored.restore(tmp_path)
    assert restored.storage is storage
    np.testing.assert_array_equal(storage.values, small_encoder(**settings).storage.values)


def test_a_folder_of_another_shape_is_not_restored(tmp_path, encoder):
    small_encoder(head=(DenseSettings(12, 5),)).save_pretrained(tmp_path)
    other = small_encoder(head=(DenseSettings(12, 7),))
    with pytest.raises(
        UserError, match=r"1?2_Dense.model.safetensors: the tensor linear.weight has the shape \[5, 12\]"
    ):
        other.restore(tmp_path)


def test_a_length_may_be_given_and_cuts_texts_in_training_too(tmp_path, encoder):
    encoder.save_pretrained(tmp_path)
    short = SentenceEncoder.from_pretrained(tmp_path, max_seq_length=4)
    assert short.max_seq_length == 4
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than the model's 4 tokens: 2 of 9 tokens"):
        tokens = short.tokenize(["my dog is cute", "he"], truncation="warn")
    assert tokens.lengths.tolist() == [4, 3]
    np.testing.assert_allclose(short.encode("my dog is cute", truncation="silent"), encoder.encode("my dog"), rtol=1e-5)
    with pytest.raises(UserError, match="a text has 6 tokens, but the model takes 4"):
        short.tokenize("my dog is cute", truncation="error")


def test_a_plain_bert_folder_is_mean_pooling_unless_told_otherwise(tmp_path, recwarn):
    encoder = small_encoder()
    encoder.encoder.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    np.testing.assert_array_equal(SentenceEncoder.from_pretrained(tmp_path).encode(TEXTS), encoder.encode(TEXTS))
    for pooling in ("max", ("cls", "mean")):
        modes = (pooling,) if isinstance(pooling, str) else pooling
        loaded = SentenceEncoder.from_pretrained(tmp_path, pooling=pooling)
        np.testing.assert_array_equal(loaded.encode(TEXTS), small_encoder(pooling=modes).encode(TEXTS))
    assert not recwarn.list
    with pytest.raises(UserError, match="pooling is one or several of cls, max, mean, mean_sqrt_len"):
        SentenceEncoder.from_pretrained(tmp_path, pooling="median")


def edit(file, **changes):
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, **changes}))


def test_a_maximal_length_beyond_the_positions_is_clamped_with_a_warning(tmp_path):
    small_encoder().save_pretrained(tmp_path)
    edit(tmp_path / "sentence_bert_config.json", max_seq_length=5000)
    with pytest.warns(UserWarning, match=r"max_seq_length is 5000, but the model has 9 positions"):
        encoder = SentenceEncoder.from_pretrained(tmp_path)
    assert encoder.max_seq_length == POSITIONS


def test_without_a_maximal_length_the_tokenizers_or_the_positions_count(tmp_path):
    small_encoder().save_pretrained(tmp_path)
    (tmp_path / "sentence_bert_config.json").unlink()
    assert SentenceEncoder.from_pretrained(tmp_path).max_seq_length == POSITIONS
    edit(tmp_path / "tokenizer_config.json", model_max_length=5)
    assert SentenceEncoder.from_pretrained(tmp_path).max_seq_length == 5


def test_a_dense_layer_without_a_bias_has_the_bias_0(tmp_path, recwarn):
    encoder = small_encoder(head=(DenseSettings(12, 5),))
    encoder.head.layers[0].bias.value[...] = 0
    encoder.save_pretrained(tmp_path)
    with_bias = encoder.encode(TEXTS)
    file = tmp_path / "2_Dense" / "model.safetensors"
    save_file({"linear.weight": load_file(file)["linear.weight"]}, file)
    edit(tmp_path / "2_Dense" / "config.json", bias=False)
    np.testing.assert_array_equal(SentenceEncoder.from_pretrained(tmp_path).encode(TEXTS), with_bias)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("sentence_bert_config.json", {"max_seq_length": 2}, "max_seq_length is 2, which leaves no room"),
        ("2_Dense/config.json", {"in_features": 13}, "a dense layer maps 13 to 5 numbers, but 12 come into it"),
        ("2_Dense/config.json", {"out_features": 10**12}, r"linear.weight has the shape \[5, 12\], but"),
        ("2_Dense/config.json", {"out_features": -1}, "a dense layer maps 12 to -1 numbers"),
        ("config.json", {"vocab_size": 3}, r"word_embeddings.weight has the shape \[18, 12\], but"),
    ],
)
def test_settings_that_do_not_fit_the_weights_are_refused(tmp_path, file, changes, message):
    small_encoder(head=(DenseSettings(12, 5),)).save_pretrained(tmp_path)
    edit(tmp_path / file, **changes)
    with pytest.raises(UserError, match=message):
        SentenceEncoder.from_pretrained(tmp_path)


def test_an_old_folder_has_the_encoder_in_a_folder_of_its_own(tmp_path, encoder):
    """Every command finds it there: those that fill masks and classify, too."""
    config = small_config(vocab_size=TOKENIZER.vocab_size)
    BertForPreTraining(config).save_pretrained(tmp_path / "0_Transformer")
    TOKENIZER.save_pretrained(tmp_path / "0_Transformer")
    modules = [
        {"path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    bert, tokenizer = load_pretraining_model(str(tmp_path), "mlm_head")
    assert bert.config == config
    assert tokenizer.vocab_size == TOKENIZER.vocab_size
    assert SentenceEncoder.from_pretrained(tmp_path).encode(TEXTS).shape == (4, 12)
    with pytest.raises(UserError, match=r"has no (hidden layers|classifier)"):
        load_predictor(tmp_path)


def test_ids_beyond_the_models_rows_are_named_when_it_is_loaded_and_refused_when_they_come(tmp_path):
    config = small_config(vocab_size=TOKENIZER.vocab_size - 1)
    with pytest.warns(UserWarning, match="the tokenizer has ids up to 17, but the model only 17 embeddings"):
        encoder = SentenceEncoder(config, TOKENIZER)
    assert encoder.encode("my dog").shape == (12,)
    with pytest.raises(UserError, match="token id 17 is outside the vocabulary of 17 tokens"):
        encoder.encode("c")


def test_arguments_for_the_tokenizer_are_its_settings_whatever_they_are_called(tmp_path, encoder):
    encoder.save_pretrained(tmp_path)
    arguments = {"strip_accents": False, "path": "x", "cls": "y", "self": "z"}
    edit(tmp_path / "sentence_bert_config.json", tokenizer_args=arguments)
    with pytest.warns(UserWarning, match=r"unknown and not applied; .*: path \('x'\), cls \('y'\), self \('z'\)"):
        loaded = SentenceEncoder.from_pretrained(tmp_path)
    assert loaded.tokenizer.split_into_words("Café") == ["café"]


def test_a_full_disk_leaves_the_old_encoder(tmp_path):
    resource = pytest.importorskip("resource", reason="this system has no limit on the size of files")
    encoder = small_encoder(head=(DenseSettings(12, 5),))
    encoder.save_pretrained(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(UserError, match="what was there is unchanged"):
            small_encoder(seed=2, head=(DenseSettings(12, 5),)).save_pretrained(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(SentenceEncoder.from_pretrained(tmp_path).encode(TEXTS), encoder.encode(TEXTS))


def test_a_checkpoints_heads_are_ignored(tmp_path, recwarn):
    config = small_config(vocab_size=TOKENIZER.vocab_size)
    BertForPreTraining(config).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    encoder = SentenceEncoder.from_pretrained(tmp_path)
    assert not recwarn.list
    np.testing.assert_array_equal(encoder.encoder.storage.values[:10], encoder.storage.values[:10])
    assert isinstance(encoder.encoder, Bert)
