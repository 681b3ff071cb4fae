"""Loss and the gradient of every parameter against transformers and PyTorch's autograd."""

import numpy as np
import pytest

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from tests.small_models import pretraining_batch, pretraining_model, randomise, small_config

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from tests.parity.pretraining_twin import padded_inputs, transformers_twin  # noqa: E402

# Sizes, and the lengths of the sentences, of which the last has no masked token.
MODELS = {
    "three heads, two layers": ({}, (4, 1, 6, 6, 3)),
    "one head, tanh GELU": ({"num_attention_heads": 1, "hidden_act": "gelu_new"}, (9, 2, 5)),
    "three layers, ReLU": ({"num_hidden_layers": 3, "hidden_act": "relu"}, (7, 7, 2, 4)),
    "one sentence": ({}, (8,)),
    "larger": (
        {
            "vocab_size": 311,
            "hidden_size": 96,
            "num_attention_heads": 4,
            "intermediate_size": 210,
            "max_position_embeddings": 64,
            "layer_norm_eps": 1e-5,
        },
        (64, 31, 50, 50, 2, 17),
    ),
}
TOLERANCES = {np.float64: 1e-9, np.float32: 1e-4}

every_model = pytest.mark.parametrize(("changes", "lengths"), MODELS.values(), ids=MODELS.keys())
every_dtype = pytest.mark.parametrize("dtype", TOLERANCES)


def model_and_batch(changes, lengths, dtype):
    model = pretraining_model(dtype, **changes)
    return model, pretraining_batch(model.config, lengths)


@every_model
@every_dtype
def test_the_loss_equals_transformers(changes, lengths, dtype):
    model, batch = model_and_batch(changes, lengths, dtype)
    theirs = transformers_twin(model)(**padded_inputs(batch))
    loss, _ = model.forward(batch)
    assert loss.total == pytest.approx(theirs.loss.item(), rel=TOLERANCES[dtype])


@every_model
@every_dtype
def test_the_logits_of_every_row_equal_transformers(changes, lengths, dtype):
    model, batch = model_and_batch(changes, lengths, dtype)
    theirs = transformers_twin(model)(**padded_inputs(batch))
    mlm_logits, nsp_logits = model(batch.tokens)
    is_token = batch.tokens.to_padded(np.ones(len(mlm_logits), int)) == 1
    assert_close(mlm_logits, theirs.prediction_logits.detach().numpy()[is_token], TOLERANCES[dtype])
    assert_close(nsp_logits, theirs.seq_relationship_logits.detach().numpy(), TOLERANCES[dtype])


@every_model
@every_dtype
def test_the_gradient_of_every_parameter_equals_autograd(changes, lengths, dtype):
    model, batch = model_and_batch(changes, lengths, dtype)
    twin = transformers_twin(model)
    twin(**padded_inputs(batch)).loss.backward()
    expected = {name: parameter.grad.numpy() for name, parameter in twin.named_parameters()}
    _, cache = model.forward(batch)
    model.backward(cache)
    found = model.grad_dict()
    assert set(found) == set(expected)
    # A hundredth of the largest gradient counts as a size of its own: the key bias, whose gradient is 0 in theory, and
    # others that are small differences of large numbers, hold what either library makes by rounding.
    floor = 1e-2 * max(np.abs(gradient).max() for gradient in expected.values())
    for name, gradient in found.items():
        assert gradient.dtype == dtype
        assert_close(gradient, expected[name], TOLERANCES[dtype], floor, name)


@every_model
@every_dtype
def test_masked_words_alone_have_the_loss_and_the_gradients_of_autograd(changes, lengths, dtype):
    model = randomise(BertForMaskedLM(small_config(**changes), dtype=dtype))
    batch = pretraining_batch(model.config, lengths)
    inputs = {name: value for name, value in padded_inputs(batch).items() if name != "next_sentence_label"}
    twin = transformers_twin(model)
    theirs = twin(**inputs)
    theirs.loss.backward()
    loss, cache = model.forward(MaskedLMBatch(batch.tokens, batch.masked_positions, batch.masked_ids))
    assert loss.total == pytest.approx(theirs.loss.item(), rel=TOLERANCES[dtype])
    model.backward(cache)
    expected = {name: parameter.grad.numpy() for name, parameter in twin.named_parameters()}
    floor = 1e-2 * max(np.abs(gradient).max() for gradient in expected.values())
    assert set(model.grad_dict()) == set(expected)
    for name, gradient in model.grad_dict().items():
        assert_close(gradient, expected[name], TOLERANCES[dtype], floor, name)


def assert_close(found, expected, tolerance, floor=0.0, name=""):
    """Equal to `tolerance` times the array's largest element, or times the floor if that is larger."""
    assert found.shape == expected.shape
    size = max(np.abs(expected).max(), floor)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size, err_msg=name)
