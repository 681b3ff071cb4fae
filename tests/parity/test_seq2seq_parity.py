"""Seq2Seq against transformers' MarianMTModel: logits, loss, the gradient of every parameter, and folders both ways."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from minitransformer.inference.source_attention import source_attention
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.nn.sinusoidal_embeddings import sinusoids
from tests.parity.test_pretraining_parity import TOLERANCES, assert_close, every_dtype
from tests.small_models import LENGTHS, TARGET_LENGTHS, small_seq2seq, sources_and_targets

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from tests.parity.seq2seq_twin import logits_and_loss, transformers_seq2seq  # noqa: E402

# Sizes, and the lengths of sources and targets.
MODELS = {
    "three layers and two": ({}, LENGTHS, TARGET_LENGTHS),
    "one head, exact GELU, no smoothing": (
        {"num_attention_heads": 1, "hidden_act": "gelu", "label_smoothing": 0.0},
        (9, 2, 5),
        (1, 9, 4),
    ),
    "one pair": ({"num_encoder_layers": 1, "num_decoder_layers": 3}, (8,), (5,)),
    "larger": (
        {
            "vocab_size": 311,
            "hidden_size": 48,
            "num_attention_heads": 4,
            "intermediate_size": 110,
            "max_position_embeddings": 64,
        },
        (64, 31, 50, 50, 2, 17),
        (40, 64, 3, 3, 22, 17),
    ),
}
every_model = pytest.mark.parametrize(("changes", "lengths", "target_lengths"), MODELS.values(), ids=MODELS.keys())


def model_and_batch(changes, lengths, target_lengths, dtype=np.float64):
    model = small_seq2seq(dtype, **changes)
    model.storage.values[...] *= 0.6  # so that sharp attention doesn't magnify what either library rounds
    return model, sources_and_targets(model.config, lengths, target_lengths)


@every_model
@every_dtype
def test_the_logits_of_every_row_and_the_loss_equal_transformers(changes, lengths, target_lengths, dtype):
    model, batch = model_and_batch(changes, lengths, target_lengths, dtype)
    logits, expected_loss = logits_and_loss(transformers_seq2seq(model), *batch)
    assert_close(model(*batch), logits.detach().numpy(), TOLERANCES[dtype])
    loss, _ = model.forward(*batch)
    assert loss.total == pytest.approx(expected_loss.item(), rel=TOLERANCES[dtype])


@every_model
@every_dtype
def test_the_gradient_of_every_parameter_equals_autograd(changes, lengths, target_lengths, dtype):
    model, batch = model_and_batch(changes, lengths, target_lengths, dtype)
    twin = transformers_seq2seq(model)
    twin.final_logits_bias.requires_grad_(True)  # a buffer there: what comes from Marian is trained
    logits_and_loss(twin, *batch)[1].backward()
    expected = {name: parameter.grad.numpy() for name, parameter in twin.named_parameters() if parameter.requires_grad}
    expected["final_logits_bias"] = twin.final_logits_bias.grad.numpy()
    _, cache = model.forward(*batch)
    model.backward(cache)
    found = model.grad_dict()
    assert set(found) == set(expected)
    # As in BERT's test: the key bias, whose gradient is 0 in theory, holds what either library makes by rounding.
    floor = 1e-2 * max(np.abs(gradient).max() for gradient in expected.values())
    for name, gradient in found.items():
        assert gradient.dtype == dtype
        assert_close(gradient, expected[name], TOLERANCES[dtype], floor, name)


def test_what_the_decoder_looks_at_in_a_source_equals_transformers_cross_attentions():
    model, (sources, targets) = model_and_batch({}, (6,), (5,))
    twin = transformers_seq2seq(model)
    with torch.no_grad():
        ids, labels = (torch.from_numpy(tokens.token_ids)[None] for tokens in (sources, targets))
        expected = twin(input_ids=ids, labels=labels, output_attentions=True).cross_attentions
    found = source_attention(model, sources, targets)
    assert found.shape == (2, 3, 5, 6)
    np.testing.assert_allclose(found, torch.cat(expected).numpy(), rtol=1e-9, atol=1e-12)


# -- folders -----------------------------------------------------------------------------------------------------------


def test_our_sinusoids_are_theirs():
    theirs = transformers.models.marian.modeling_marian.MarianSinusoidalPositionalEmbedding(50, 12).create_weight()
    np.testing.assert_allclose(sinusoids(np.arange(50), 12), theirs.numpy(), rtol=0, atol=1e-6)


@pytest.fixture
def ours():
    return small_seq2seq(np.float32)


@pytest.fixture
def batch(ours):
    return sources_and_targets(ours.config)


def assert_same_logits(ours, theirs, batch):
    expected = logits_and_loss(theirs.eval(), *batch)[0].detach().numpy()
    np.testing.assert_allclose(ours(*batch), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_transformers_reads_our_folder_and_finds_all_it_needs_and_nothing_else(tmp_path, ours, batch):
    ours.save_pretrained(tmp_path)
    theirs, report = transformers.AutoModelForSeq2SeqLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    assert type(theirs).__name__ == "MarianMTModel"
    assert_same_logits(ours, theirs, batch)


def test_we_read_the_folder_of_transformers_and_it_is_the_same_bytes_when_saved_again(tmp_path, ours, batch, recwarn):
    transformers_seq2seq(ours).save_pretrained(tmp_path / "theirs")
    recwarn.clear()
    again = Seq2Seq.from_pretrained(tmp_path / "theirs")
    assert not recwarn.list
    assert again.config == ours.config
    np.testing.assert_array_equal(again(*batch), ours(*batch))
    again.save_pretrained(tmp_path / "ours")
    first, last = (load_file(tmp_path / folder / "model.safetensors") for folder in ("theirs", "ours"))
    assert first.keys() == last.keys()
    assert all((first[name] == last[name]).all() for name in first)


def test_a_state_dict_of_torch_is_loaded(ours, batch):
    again = Seq2Seq(ours.config)
    again.load_state_dict(transformers_seq2seq(ours).state_dict())
    np.testing.assert_array_equal(again(*batch), ours(*batch))
