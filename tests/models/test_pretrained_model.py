import dataclasses
import json
import tracemalloc
from contextlib import nullcontext

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer import Bert, BertConfig, BertForPreTraining, PackedTokens, SentenceEncoder
from minitransformer.errors import MissingHead, UserError
from tests.small_encoders import small_encoder
from tests.small_models import small_config

CONFIG = BertConfig(
    vocab_size=23,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=9,
)
TOKENS = PackedTokens.pack([[2, 17, 4, 3], [2, 9, 3]], [[0, 0, 1, 1], [0, 0, 0]])
EMBEDDING = "bert.embeddings.word_embeddings.weight"


def random_model(model_class=BertForPreTraining, config=CONFIG):
    """A model with no parameter at its initial value, so that a tensor in the wrong place is seen."""
    model = model_class(config, seed=1)
    model.storage.values[:] = np.random.default_rng(5).normal(0, 0.3, model.storage.values.shape)
    return model


MODEL = random_model()


def outputs(model):
    return np.concatenate([array.ravel() for array in model(TOKENS)])


def write_folder(folder, tensors, **settings):
    """A model folder with these tensors, and CONFIG with other settings."""
    MODEL.save_pretrained(folder)
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **settings}))
    return folder


@pytest.mark.parametrize("model_class", [Bert, BertForPreTraining])
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, model_class, recwarn):
    model = random_model(model_class)
    model.save_pretrained(tmp_path)
    loaded = model_class.from_pretrained(tmp_path)
    assert loaded.config == CONFIG
    assert (loaded.storage.values == model.storage.values).all()
    assert not recwarn.list
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


def test_config_json_says_what_other_libraries_ask_for(tmp_path):
    MODEL.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "bert"
    assert config["architectures"] == ["BertForPreTraining"]
    assert config["dtype"] == "float32"
    assert config.items() >= dataclasses.asdict(CONFIG).items()


def test_a_float64_model_computes_in_float64_and_saves_float32(tmp_path):
    MODEL.save_pretrained(tmp_path)
    model = BertForPreTraining.from_pretrained(tmp_path, dtype=np.float64)
    assert outputs(model).dtype == np.float64
    np.testing.assert_allclose(outputs(model), outputs(MODEL), atol=1e-5)
    model.save_pretrained(tmp_path / "again")
    again = (tmp_path / "again" / "model.safetensors").read_bytes()
    assert again == (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="dtype is float16"):
        BertForPreTraining.from_pretrained(tmp_path, dtype=np.float16)


def test_the_prefix_may_be_there_or_not(tmp_path):
    tensors = {name.removeprefix("bert."): array for name, array in MODEL.state_dict().items()}
    model = BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))
    assert (outputs(model) == outputs(MODEL)).all()


def test_old_names_and_stray_buffers_are_read(tmp_path, recwarn):
    def old(name):
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    tensors = {old(name): array for name, array in MODEL.state_dict().items()}
    tensors["bert.embeddings.position_ids"] = np.arange(9)[None]
    model = BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))
    assert (outputs(model) == outputs(MODEL)).all()
    assert not recwarn.list


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_of_another_width_are_read(tmp_path, dtype):
    tensors = {name: array.astype(dtype) for name, array in MODEL.state_dict().items()}
    model = BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))
    assert model.storage.values.dtype == np.float32
    np.testing.assert_allclose(model.storage.values, MODEL.storage.values, rtol=1e-3, atol=1e-7)


def test_a_decoder_that_equals_the_embedding_is_tied(tmp_path, recwarn):
    tensors = MODEL.state_dict()
    tensors["cls.predictions.decoder.weight"] = tensors[EMBEDDING]
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"]
    model = BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))
    assert model.num_parameters == MODEL.num_parameters
    assert (outputs(model) == outputs(MODEL)).all()
    assert not recwarn.list


def test_a_decoder_alone_is_the_embedding_too(tmp_path, recwarn):
    tensors = MODEL.state_dict()
    tensors["cls.predictions.decoder.weight"] = tensors.pop(EMBEDDING)
    tensors["cls.predictions.decoder.bias"] = tensors.pop("cls.predictions.bias")
    model = BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))
    assert (outputs(model) == outputs(MODEL)).all()
    assert not recwarn.list


def test_a_decoder_of_its_own_is_kept_and_saved(tmp_path):
    tensors = MODEL.state_dict()
    tensors["cls.predictions.decoder.weight"] = -tensors[EMBEDDING]
    folder = write_folder(tmp_path / "untied", tensors)
    with pytest.warns(UserWarning, match="untied"):
        model = BertForPreTraining.from_pretrained(folder)
    bias = tensors["cls.predictions.bias"]
    np.testing.assert_allclose(model(TOKENS)[0] - bias, bias - MODEL(TOKENS)[0], atol=1e-5)
    model.save_pretrained(tmp_path / "again")
    again = BertForPreTraining.from_pretrained(tmp_path / "again")
    assert not again.config.tie_word_embeddings
    assert (outputs(again) == outputs(model)).all()


@pytest.mark.parametrize("shape", [(), (0,), (23,), (12, 23)])
def test_a_decoder_of_another_shape_is_refused(tmp_path, shape):
    tensors = MODEL.state_dict()
    tensors["cls.predictions.decoder.weight"] = tensors[EMBEDDING] = np.zeros(shape, np.float32)
    with (
        pytest.warns(UserWarning, match="untied") if len(shape) != 2 else nullcontext(),
        pytest.raises(UserError, match=r"word_embeddings.weight has the shape"),
    ):
        BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))


def test_missing_heads_are_new_and_a_function_of_the_seed(tmp_path):
    random_model(Bert).save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="has no masked-LM head, next-sentence head: new, with random values"):
        first, same, other = (BertForPreTraining.from_pretrained(tmp_path, seed=seed) for seed in (3, 3, 4))
    assert (first.nsp_head.weight.value == same.nsp_head.weight.value).all()
    assert (first.nsp_head.weight.value != other.nsp_head.weight.value).all()
    assert (first.bert.pooler.weight.value == other.bert.pooler.weight.value).all()
    assert 0 < np.abs(first.nsp_head.weight.value).max() < 0.05


def test_a_needed_head_that_is_missing_is_an_error_and_others_are_not_mentioned(tmp_path, recwarn):
    tensors = {name: tensor for name, tensor in MODEL.state_dict().items() if "seq_relationship" not in name}
    folder = write_folder(tmp_path, tensors)
    model = BertForPreTraining.from_pretrained(folder, needed=("mlm_head", "bert.pooler"))
    assert (model(TOKENS)[0] == MODEL(TOKENS)[0]).all()
    assert not recwarn.list
    with pytest.raises(
        MissingHead, match=r"model.safetensors has no next-sentence head: it lacks cls.seq_relationship"
    ):
        BertForPreTraining.from_pretrained(folder, needed=("nsp_head",))


def test_heads_that_a_model_does_not_have_are_ignored(tmp_path, recwarn):
    MODEL.save_pretrained(tmp_path)
    model = Bert.from_pretrained(tmp_path)
    assert (model(TOKENS)[1] == MODEL.bert(TOKENS)[1]).all()
    assert not recwarn.list


def test_fewer_layers_than_the_file_holds_are_the_first_ones(tmp_path):
    folder = write_folder(tmp_path, MODEL.state_dict(), num_hidden_layers=1)
    with pytest.warns(UserWarning, match=r"also holds bert.encoder.layer.1.* and 12 more: ignored by this model"):
        assert len(BertForPreTraining.from_pretrained(folder).bert.layers) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 24}, r"word_embeddings.weight has the shape \[23, 12\], but .* \[24, 12\]"),
        ({"vocab_size": 10**15}, r"word_embeddings.weight has the shape \[23, 12\]"),
        ({"intermediate_size": 10**15}, r"intermediate.dense.weight has the shape \[20, 12\]"),
        ({"num_hidden_layers": 3}, "config.json: num_hidden_layers is 3, but the checkpoint has 2 layers"),
        ({"num_hidden_layers": 10**15}, "has 2 layers"),
        ({"hidden_size": 13}, "hidden_size 13 isn't a multiple"),
        ({"hidden_size": "12"}, "config.json: hidden_size must be a whole number"),
        ({"hidden_dropout_prob": 10**400}, "hidden_dropout_prob must be"),
        ({"layer_norm_eps": 10**400}, "layer_norm_eps must be a number above 0"),
        ({"hidden_act": "softmax"}, "hidden_act must be one of .*, found 'softmax'"),
        ({"hidden_act": ["gelu"]}, "hidden_act must be one of"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings must be true or false"),
        ({"model_type": "distilbert"}, "model_type is 'distilbert'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_before_memory_is_asked_for(tmp_path, settings, message):
    folder = write_folder(tmp_path, MODEL.state_dict(), **settings)
    tracemalloc.start()
    with pytest.raises(UserError, match=message):
        BertForPreTraining.from_pretrained(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_new_heads_larger_than_the_whole_file_are_refused(tmp_path):
    wide = BertConfig(1, 4096, 0, 1, 1, max_position_embeddings=1, type_vocab_size=1)
    state = {name: array for name, array in Bert(wide).state_dict().items() if not name.startswith("pooler")}
    folder = write_folder(tmp_path, state, **dataclasses.asdict(wide))
    with pytest.raises(UserError, match=r"pooler would have 16781312 weights, but the whole of .* has 20480"):
        Bert.from_pretrained(folder)


def test_a_lacking_tensor_of_the_encoder_is_named(tmp_path):
    tensors = MODEL.state_dict()
    del tensors["bert.encoder.layer.1.output.dense.bias"]
    with pytest.raises(UserError, match=r"lacks bert.encoder.layer.1.output.dense.bias, which the model needs"):
        BertForPreTraining.from_pretrained(write_folder(tmp_path, tensors))


def test_a_failed_save_leaves_the_old_model(tmp_path):
    resource = pytest.importorskip("resource", reason="this system has no limit on the size of files")
    MODEL.save_pretrained(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))  # a full disk, for a file of more than 5 kB
    try:
        with pytest.raises(UserError, match="what was there is unchanged"):
            BertForPreTraining(dataclasses.replace(CONFIG, vocab_size=99)).save_pretrained(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (outputs(BertForPreTraining.from_pretrained(tmp_path)) == outputs(MODEL)).all()
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


def test_a_state_dict_is_a_copy_and_loads_into_another_model():
    other = BertForPreTraining(CONFIG, seed=9)
    state = MODEL.state_dict()
    other.load_state_dict({name.removeprefix("bert."): array for name, array in state.items()})
    assert (other.storage.values == MODEL.storage.values).all()
    other.storage.values[:] = 0
    state[EMBEDDING][:] = 0
    assert MODEL.state_dict()[EMBEDDING].all()


def changed(**tensors):
    state = MODEL.state_dict()
    for name, array in tensors.items():
        if array is None:
            del state[name]
        else:
            state[name] = array
    return state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (changed(**{"cls.predictions.bias": None}), r"lacks cls.predictions.bias"),
        (changed(**{"adapter.weight": np.zeros(2)}), r"holds adapter.weight, which this model doesn't have"),
        (
            changed(**{"cls.predictions.bias": np.zeros(24)}),
            r"cls.predictions.bias has the shape \[24\], but .* \[23\]",
        ),
        (changed(**{"cls.predictions.bias": np.full(23, 1e300)}), r"the tensor cls.predictions.bias holds 1e\+300"),
        (changed(**{"cls.predictions.decoder.weight": np.zeros((23, 12))}), "differs from the token embedding"),
    ],
)
def test_a_dictionary_that_does_not_fit_changes_nothing(state, message):
    before = MODEL.storage.values.copy()
    with pytest.raises(UserError, match=message):
        MODEL.load_state_dict(state)
    assert (MODEL.storage.values == before).all()


def test_gradients_have_the_names_and_shapes_of_the_values():
    model = random_model(Bert)
    (hidden, pooled), cache = model.forward(TOKENS)
    model.backward(np.ones_like(hidden), np.ones_like(pooled), cache)
    gradients = model.grad_dict()
    assert {name: array.shape for name, array in gradients.items()} == {
        name: array.shape for name, array in model.state_dict().items()
    }
    weight = model.layers[1].feed_forward.inner.weight
    assert (gradients["encoder.layer.1.intermediate.dense.weight"] == weight.grad.T).all()


def test_the_library_reads_what_is_written(tmp_path):
    MODEL.save_pretrained(tmp_path)
    state = MODEL.state_dict()
    tensors = load_file(tmp_path / "model.safetensors")
    assert {*tensors} == {*state}
    assert all((tensors[name] == state[name]).all() for name in state)


@pytest.mark.parametrize("model_class", [Bert, BertForPreTraining, SentenceEncoder])
def test_a_folder_in_place_of_a_config_is_told_what_loads_it(model_class, tmp_path):
    for folder in ("my-bert", tmp_path):
        with pytest.raises(
            UserError, match=rf"to load one, write {model_class.__name__}.from_pretrained\('{folder}'\)"
        ):
            model_class(folder)


def test_a_model_says_what_it_is():
    model = Bert(small_config())
    assert repr(model) == f"Bert(2 layers, hidden size 12, {model.num_parameters:,} parameters)"
    encoder = small_encoder(pooling=("mean", "cls"), head=("normalise",))
    assert repr(encoder) == (
        f"SentenceEncoder(2 layers, hidden size 12, {encoder.num_parameters:,} parameters; pooling mean + cls, "
        "then normalise; embeddings of 24 numbers, texts of at most 9 tokens)"
    )
