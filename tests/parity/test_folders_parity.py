"""Folders written here are loaded by transformers, and the other way round, with the same outputs."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer import Bert, BertForPreTraining, PackedTokens
from minitransformer.errors import UserError
from minitransformer.interop.safetensors_files import open_tensors
from tests.parity.real_data import data_file
from tests.small_models import randomise, small_config

torch = pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")

CONFIG = small_config(type_vocab_size=2, num_hidden_layers=3)
LENGTHS = [7, 3, 9]
CLASSES = {
    Bert: transformers.BertModel,
    BertForPreTraining: transformers.BertForPreTraining,
}


@pytest.fixture(scope="module")
def tokens():
    rng = np.random.default_rng(3)
    ids = [rng.integers(1, CONFIG.vocab_size, length) for length in LENGTHS]
    return PackedTokens.pack(ids, [rng.integers(0, 2, length) for length in LENGTHS])


def random_model(model_class, dtype=np.float32, config=CONFIG):
    return randomise(model_class(config, dtype=dtype), std=0.3)


def their_outputs(model, tokens):
    """Token rows and sentence rows of transformers' model: hidden and pooled, or the logits of both heads."""
    with torch.no_grad():
        output = model.eval()(
            input_ids=torch.tensor(tokens.to_padded(tokens.token_ids)),
            token_type_ids=torch.tensor(tokens.to_padded(tokens.segment_ids)),
            attention_mask=torch.tensor(tokens.to_padded(np.ones_like(tokens.token_ids))),
        )
    rows, sentences = output[0].numpy(), output[1].numpy()
    return np.concatenate([row[:length] for row, length in zip(rows, tokens.lengths, strict=True)]), sentences


def assert_same_outputs(ours, theirs, tokens, atol=2e-5):
    for found, expected in zip(ours(tokens), their_outputs(theirs, tokens), strict=True):
        np.testing.assert_allclose(found, expected, atol=atol, rtol=1e-5)


def load_theirs(their_class, folder, **options):
    """The model, after a look at what transformers says was missing, unexpected or of another shape."""
    model, info = their_class.from_pretrained(folder, output_loading_info=True, **options)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    return model


# -- ours to theirs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_class", CLASSES)
def test_transformers_loads_a_folder_of_ours_whole_and_computes_the_same(tmp_path, tokens, model_class):
    model = random_model(model_class)
    model.save_pretrained(tmp_path)
    theirs = load_theirs(CLASSES[model_class], tmp_path)
    assert theirs.dtype == torch.float32
    assert_same_outputs(model, theirs, tokens)


def test_transformers_picks_the_class_from_the_folder(tmp_path, tokens):
    random_model(BertForPreTraining).save_pretrained(tmp_path)
    assert type(transformers.AutoModelForPreTraining.from_pretrained(tmp_path)) is transformers.BertForPreTraining
    assert type(transformers.AutoModel.from_pretrained(tmp_path)) is transformers.BertModel


def test_transformers_masked_lm_reads_a_pretraining_folder(tmp_path, tokens):
    model = random_model(BertForPreTraining)
    model.save_pretrained(tmp_path)
    theirs, info = transformers.BertForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    with torch.no_grad():
        logits = theirs.eval()(
            torch.tensor(tokens.token_ids[None, :7]), None, torch.tensor(tokens.segment_ids[None, :7])
        )
    np.testing.assert_allclose(model(tokens)[0][:7], logits.logits[0].numpy(), atol=2e-5, rtol=1e-5)


def test_an_untied_model_stays_untied(tmp_path, tokens):
    untied = small_config(type_vocab_size=2, tie_word_embeddings=False)
    model = random_model(BertForPreTraining, config=untied)
    model.save_pretrained(tmp_path)
    assert_same_outputs(model, load_theirs(transformers.BertForPreTraining, tmp_path), tokens)


# -- theirs to ours ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(4)
    config = transformers.BertConfig(
        vocab_size=CONFIG.vocab_size,
        hidden_size=CONFIG.hidden_size,
        num_hidden_layers=CONFIG.num_hidden_layers,
        num_attention_heads=CONFIG.num_attention_heads,
        intermediate_size=CONFIG.intermediate_size,
        max_position_embeddings=CONFIG.max_position_embeddings,
        initializer_range=0.3,
    )
    model = transformers.BertForPreTraining(config)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and LayerNorm start at 0 and 1
            parameter += 0.2 * torch.randn(parameter.shape)
    return model.eval()


@pytest.mark.parametrize("options", [{}, {"max_shard_size": "3KB"}], ids=["one file", "several files"])
def test_a_folder_of_transformers_is_loaded_whole(tmp_path, recwarn, tokens, theirs, options):
    theirs.save_pretrained(tmp_path, **options)
    assert (len([*tmp_path.glob("*.safetensors")]) > 2) == bool(options)
    ours = BertForPreTraining.from_pretrained(tmp_path)
    assert_same_outputs(ours, theirs, tokens)
    assert not [warning for warning in recwarn.list if issubclass(warning.category, UserWarning)]


def test_float64_agrees_to_the_last_digits(tmp_path, tokens, theirs):
    theirs.save_pretrained(tmp_path)
    ours = BertForPreTraining.from_pretrained(tmp_path, dtype=np.float64)
    in_double = transformers.BertForPreTraining.from_pretrained(tmp_path, dtype=torch.float64)
    for found, expected in zip(ours(tokens), their_outputs(in_double, tokens), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_of_16_bits_is_computed_in_float32(tmp_path, tokens, theirs, dtype):
    theirs.save_pretrained(tmp_path / "float32")
    low = transformers.BertForPreTraining.from_pretrained(tmp_path / "float32", dtype=dtype)
    low.save_pretrained(tmp_path / "low")
    ours = BertForPreTraining.from_pretrained(tmp_path / "low")
    assert_same_outputs(ours, low.float(), tokens)


def test_a_plain_bert_of_transformers_is_loaded(tmp_path, tokens, theirs):
    theirs.bert.save_pretrained(tmp_path)
    assert_same_outputs(Bert.from_pretrained(tmp_path), theirs.bert, tokens)


def test_saved_here_and_there_and_here_again_it_is_the_same_bytes(tmp_path, theirs):
    theirs.save_pretrained(tmp_path / "0")
    BertForPreTraining.from_pretrained(tmp_path / "0").save_pretrained(tmp_path / "1")
    load_theirs(transformers.BertForPreTraining, tmp_path / "1").save_pretrained(tmp_path / "2")
    BertForPreTraining.from_pretrained(tmp_path / "2").save_pretrained(tmp_path / "3")
    first, last = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in "13")
    assert first == last


@pytest.mark.parametrize("case", ["equal", "different", "only"])
@pytest.mark.filterwarnings("ignore:.*decoder of its own")
def test_a_decoder_in_the_file_means_what_it_means_to_transformers(tmp_path, tokens, theirs, case):
    theirs.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    name = "bert.embeddings.word_embeddings.weight"
    tensors["cls.predictions.decoder.weight"] = tensors[name] * (-1 if case == "different" else 1)
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"]
    if case == "only":
        del tensors[name], tensors["cls.predictions.bias"]
    save_file(tensors, file, {"format": "pt"})
    again = transformers.BertForPreTraining.from_pretrained(tmp_path)
    assert_same_outputs(BertForPreTraining.from_pretrained(tmp_path), again, tokens)


@pytest.mark.parametrize("shards", [1, 2])
def test_the_advice_on_pickles_copies_every_tensor_and_adds_none(tmp_path, theirs, shards):
    state = theirs.state_dict()
    names = [f"pytorch_model-{i}-of-2.bin" for i in range(shards)] if shards > 1 else ["pytorch_model.bin"]
    for i, name in enumerate(names):
        torch.save({key: state[key] for key in [*state][i::shards]}, tmp_path / name)
    with pytest.raises(UserError) as error:
        open_tensors(tmp_path)
    subprocess.run([sys.executable, "-c", str(error.value).split("as they are: ")[1]], cwd=tmp_path, check=True)
    converted = load_file(tmp_path / "model.safetensors")
    assert converted.keys() == state.keys()
    assert all((converted[name] == state[name].numpy()).all() for name in state)


def test_a_state_dict_of_torch_is_loaded(tokens, theirs):
    ours = BertForPreTraining(CONFIG)
    ours.load_state_dict(theirs.state_dict())
    assert_same_outputs(ours, theirs, tokens)
    shapes = {name: tuple(tensor.shape) for name, tensor in theirs.named_parameters()}
    assert {name: array.shape for name, array in ours.state_dict().items()} == shapes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"is_decoder": True}, "is_decoder is True"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"vocab_size": 24}, r"has the shape \[23, 12\]"),
    ],
)
def test_what_would_compute_something_else_is_refused(tmp_path, theirs, settings, message):
    theirs.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **settings}))
    with pytest.raises(UserError, match=message):
        BertForPreTraining.from_pretrained(tmp_path)


# -- a real checkpoint with both heads ---------------------------------------------------------------------------------


def test_a_trained_checkpoint_with_both_heads_gives_its_reference_outputs():
    """A BERT pretrained on chemical reactions; reference.npz holds what transformers computed with it."""
    folder = data_file("model_rxnfp_bert")
    reference = np.load(folder / "reference.npz")
    model = BertForPreTraining.from_pretrained(folder)
    tokens = PackedTokens.pack(reference["input_ids"])
    hidden, pooled = model.bert(tokens)
    mlm_logits, nsp_logits = model(tokens)
    np.testing.assert_allclose(hidden, reference["last_hidden"][0], atol=1e-4)
    np.testing.assert_allclose(pooled, reference["pooled"], atol=1e-4)
    np.testing.assert_allclose(mlm_logits, reference["mlm_logits"][0], atol=1e-4)
    np.testing.assert_allclose(nsp_logits, reference["nsp_logits"], atol=1e-4)
    masked = reference["masked_positions"]
    assert len(masked) == 15
    np.testing.assert_array_equal(mlm_logits[masked].argmax(axis=1), reference["target_ids"][0, masked])
