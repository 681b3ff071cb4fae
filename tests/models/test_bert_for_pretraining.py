import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining, StepCounts
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.masked_lm_head import MaskedLMHead
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from tests.gradient_check import assert_parameter_gradients
from tests.small_models import LENGTHS, pretraining_batch, pretraining_model, small_config


def loss_and_gradients(model, *batches, rng=None, counts=None):
    """The losses of the batches, and all gradients that their backwards add up to."""
    model.zero_grad()
    losses = []
    for batch in batches:
        loss, cache = model.forward(batch, rng, counts)
        model.backward(cache)
        losses.append(loss)
    return losses, model.storage.gradients.copy()


@pytest.fixture
def model():
    return pretraining_model()


@pytest.fixture
def batch(model):
    return pretraining_batch(model.config)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden_act": "gelu_new"},
        {"hidden_act": "relu"},
        {"num_attention_heads": 1},
        {"num_hidden_layers": 3},
        {"num_hidden_layers": 0},
        {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3},
    ],
    ids=str,
)
def test_the_gradient_of_every_parameter_equals_central_differences(changes):
    model = pretraining_model(**changes)
    batch = pretraining_batch(model.config)

    def forward():
        return model.forward(batch, generator(1, "dropout") if "hidden_dropout_prob" in changes else None)

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0].total)


def test_the_loss_is_the_mean_over_masked_tokens_plus_the_mean_over_pairs(model, batch):
    """From the logits that model(tokens) gives for every row; not a mean of the sentences' means."""
    mlm_logits, nsp_logits = model(batch.tokens)
    assert mlm_logits.shape == (20, 23)
    assert nsp_logits.shape == (5, 2)

    def surprises(logits, labels):
        return [math.log(sum(math.exp(z) for z in row)) - row[label] for row, label in zip(logits, labels, strict=True)]

    masked_logits = mlm_logits[batch.masked_positions]
    loss, _ = model.forward(batch)
    assert loss.mlm == pytest.approx(np.mean(surprises(masked_logits, batch.masked_ids)), rel=1e-12)
    assert loss.nsp == pytest.approx(np.mean(surprises(nsp_logits, batch.is_random_next)), rel=1e-12)
    assert loss.total == pytest.approx(loss.mlm + loss.nsp, rel=1e-15)
    assert loss.mlm_accuracy == np.mean(masked_logits.argmax(axis=1) == batch.masked_ids)
    assert loss.nsp_accuracy == np.mean(nsp_logits.argmax(axis=1) == batch.is_random_next)


@pytest.mark.parametrize("answer", [0, 1])
def test_class_0_of_the_next_sentence_head_is_next_and_class_1_is_random(model, batch, answer):
    model.nsp_head.weight.value[...] = 0
    model.nsp_head.bias.value[...] = np.where(np.arange(2) == answer, 50, 0)

    def nsp_of(label):
        labels = np.full(len(batch), label)
        loss, _ = model.forward(PretrainingBatch(batch.tokens, batch.masked_positions, batch.masked_ids, labels))
        return loss.nsp, loss.nsp_accuracy

    assert nsp_of(answer) == (pytest.approx(0, abs=1e-20), 1)
    assert nsp_of(1 - answer) == (pytest.approx(50), 0)


def test_the_order_of_the_masked_rows_does_not_matter(model, batch):
    assert (np.diff(batch.masked_positions) < 0).any()
    order = np.argsort(batch.masked_positions)
    ascending = PretrainingBatch(
        batch.tokens, batch.masked_positions[order], batch.masked_ids[order], batch.is_random_next
    )
    (loss,), gradients = loss_and_gradients(model, batch)
    (expected_loss,), expected = loss_and_gradients(model, ascending)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-13)


@given(st.permutations(range(len(LENGTHS))))
def test_the_order_of_the_sentences_does_not_matter(order):
    model = pretraining_model()
    batch = pretraining_batch(model.config)
    (loss,), gradients = loss_and_gradients(model, batch.select(order))
    (expected_loss,), expected = loss_and_gradients(model, batch)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-12)


@given(st.lists(st.integers(0, 2), min_size=len(LENGTHS), max_size=len(LENGTHS)))
def test_the_shards_of_a_step_add_up_to_the_step_as_one_batch(shard_of_sentence):
    """However unevenly masked tokens and pairs are shared out, and though a shard may have none of either."""
    model = pretraining_model()
    batch = pretraining_batch(model.config)
    shards = [batch.select(np.flatnonzero(np.array(shard_of_sentence) == shard)) for shard in range(3)]
    counts = StepCounts(len(batch.masked_ids), len(batch))
    losses, gradients = loss_and_gradients(model, *shards, counts=counts)
    (expected_loss,), expected = loss_and_gradients(model, batch)
    np.testing.assert_allclose(np.sum(losses, axis=0), expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-12)


def test_a_batch_without_masked_tokens_learns_from_its_pairs_alone(model, batch):
    """Transformers answers with nan here; a mean over nothing is taken as 0."""
    nothing = PretrainingBatch(batch.tokens, np.zeros(0, int), np.zeros(0, int), batch.is_random_next)
    (loss,), gradients = loss_and_gradients(model, nothing)
    expected, _ = model.forward(batch)
    assert (loss.mlm, loss.mlm_accuracy) == (0, 0)
    assert loss.nsp == expected.nsp
    assert np.isfinite(gradients).all()
    assert model.nsp_head.weight.grad.any()
    assert not model.mlm_head.transform.weight.grad.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_untrained_model_knows_nothing_of_either_task(dtype):
    """Its loss is that of guessing: ln V + ln 2."""
    config = BertConfig.preset("tiny", vocab_size=1000)
    loss, _ = BertForPreTraining(config, dtype=dtype).forward(pretraining_batch(config, lengths=(40, 25, 60, 60, 9)))
    assert loss.mlm == pytest.approx(math.log(1000), rel=0.02)
    assert loss.nsp == pytest.approx(math.log(2), rel=0.02)
    assert loss.total == pytest.approx(math.log(1000) + math.log(2), rel=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_of_one_document_is_learnt_by_heart(dtype):
    """Plain gradient descent with dropout. From the first weights, not from random ones."""
    config = small_config()
    model = BertForPreTraining(config, dtype=dtype)
    batch = pretraining_batch(config)
    first, _ = model.forward(batch)
    for step in range(300):
        model.zero_grad()
        _, cache = model.forward(batch, generator(1, "dropout", step))
        model.backward(cache)
        model.storage.values[...] -= 0.3 * model.storage.gradients
    last, _ = model.forward(batch)
    assert first.total > 3.5
    assert last.total < 0.1
    assert (last.mlm_accuracy, last.nsp_accuracy) == (1, 1)


def test_one_backward_gives_every_parameter_a_gradient(model, batch):
    """Only the key biases have none: softmax takes no notice of them."""
    loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    for name, parameter in model.named_parameters():
        largest = np.abs(parameter.grad).max()
        assert largest < 1e-14 if name.endswith("key.bias") else largest > 1e-3, name


def test_the_token_table_gets_what_its_two_uses_get_apart(model, batch):
    """An untied twin: the same values, but a table of the head's own."""
    config = model.config
    twin = BertForPreTraining(config, seed=None)
    own_table = Embedding(config.vocab_size, config.hidden_size)
    twin.mlm_head = MaskedLMHead(own_table, "gelu", config.layer_norm_eps, config.initializer_range)
    twin.initialise(dtype=np.float64)
    values = dict(model.named_parameters())
    for name, parameter in twin.named_parameters():
        parameter.value[...] = values.get(name, model.bert.embeddings.token.table).value

    loss_and_gradients(model, batch)
    loss_and_gradients(twin, batch)
    by_lookup, by_scores = twin.bert.embeddings.token.table.grad, twin.mlm_head.decoder.table.grad
    assert np.flatnonzero(by_lookup.any(axis=1)).tolist() == sorted(set(batch.tokens.token_ids.tolist()))
    assert by_scores.all()
    np.testing.assert_allclose(model.bert.embeddings.token.table.grad, by_lookup + by_scores, rtol=1e-9, atol=1e-13)


def test_a_second_backward_adds_the_same_gradients_again(model, batch):
    _, cache = model.forward(batch, generator(1, "dropout"))
    model.backward(cache)
    once = model.storage.gradients.copy()
    model.backward(cache)
    np.testing.assert_allclose(model.storage.gradients, 2 * once, rtol=1e-12, atol=1e-15)


def test_two_forwards_before_either_backward_give_what_two_rounds_give(model, batch):
    other = pretraining_batch(model.config, lengths=(3, 8, 2), seed=5)
    _, expected = loss_and_gradients(model, batch, other)
    model.zero_grad()
    caches = [model.forward(each)[1] for each in (batch, other)]
    for cache in caches:
        model.backward(cache)
    np.testing.assert_allclose(model.storage.gradients, expected, rtol=1e-12, atol=1e-15)


def test_a_replica_computes_the_same_gradients_into_its_own_vector(model, batch):
    replica = model.replica()
    (loss,), gradients = loss_and_gradients(replica, batch)
    assert not model.storage.gradients.any()
    (expected_loss,), expected = loss_and_gradients(model, batch)
    assert loss == expected_loss
    np.testing.assert_array_equal(gradients, expected)
    model.storage.values[...] *= 1.1
    assert replica.forward(batch)[0] == model.forward(batch)[0] != loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_and_gradients_have_the_models_dtype_and_the_losses_are_floats(dtype):
    model = pretraining_model(dtype)
    batch = pretraining_batch(model.config)
    (loss,), gradients = loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    assert gradients.dtype == dtype
    assert {logits.dtype for logits in model(batch.tokens)} == {np.dtype(dtype)}
    assert {type(number) for number in (*loss, loss.total)} == {float}


def test_neither_the_batch_nor_the_weights_are_changed(model, batch):
    values = model.storage.values.copy()
    loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    model(batch.tokens)
    before = pretraining_batch(model.config)
    for found, expected in ((batch, before), (batch.tokens, before.tokens)):
        for name, array in vars(expected).items():
            if isinstance(array, np.ndarray):
                np.testing.assert_array_equal(getattr(found, name), array)
    np.testing.assert_array_equal(model.storage.values, values)


def test_padding_does_not_exist_so_a_padded_batch_read_in_gives_the_same_loss(model, batch):
    tokens = batch.tokens
    ids, segments = tokens.to_padded(tokens.token_ids), tokens.to_padded(tokens.segment_ids)
    mask = tokens.to_padded(np.ones(len(tokens.token_ids), int))
    read = PackedTokens.from_padded(ids, mask, segments)
    other = PretrainingBatch(read, batch.masked_positions, batch.masked_ids, batch.is_random_next)
    assert model.forward(other)[0] == model.forward(batch)[0]
