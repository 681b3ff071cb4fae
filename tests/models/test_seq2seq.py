import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.models.seq2seq_config import Seq2SeqConfig
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from tests.gradient_check import assert_parameter_gradients
from tests.small_models import LENGTHS, small_seq2seq, small_seq2seq_config, sources_and_targets


def textbook_seq2seq(model, source_ids, target_ids):
    """logits (T, V) of one pair, from the formulas of the paper and the parameters by name."""
    config, values = model.config, {name: parameter.value for name, parameter in model.named_parameters()}
    columns_of_a_head = config.hidden_size // config.num_attention_heads

    def linear(name, x):
        return x @ values[f"{name}.weight"] + values[f"{name}.bias"]

    def norm(name, x):
        std = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        return (x - x.mean(axis=-1, keepdims=True)) / std * values[f"{name}.gamma"] + values[f"{name}.beta"]

    def attention(name, x, source, causal):
        q, k, v = linear(f"{name}.query", x), linear(f"{name}.key", source), linear(f"{name}.value", source)
        heads = []
        for head in range(config.num_attention_heads):
            columns = slice(head * columns_of_a_head, (head + 1) * columns_of_a_head)
            likelihoods = np.exp(q[:, columns] @ k[:, columns].T / math.sqrt(columns_of_a_head))
            likelihoods = np.tril(likelihoods) if causal else likelihoods
            heads.append(likelihoods / likelihoods.sum(axis=1, keepdims=True) @ v[:, columns])
        return linear(f"{name}.output", np.hstack(heads))

    def feed_forward(name, x):
        return linear(f"{name}.outer", np.maximum(linear(f"{name}.inner", x), 0))

    def embeddings(ids):
        waves = [[position / 10000 ** (2 * i / 12) for i in range(6)] for position in range(len(ids))]
        return math.sqrt(12) * values["embeddings.token.table"][ids] + np.hstack([np.sin(waves), np.cos(waves)])

    source = embeddings(source_ids)
    for layer in (f"encoder.{i}" for i in range(config.num_encoder_layers)):
        source = norm(f"{layer}.attention_norm", source + attention(f"{layer}.attention", source, source, False))
        source = norm(f"{layer}.output_norm", source + feed_forward(f"{layer}.feed_forward", source))
    x = embeddings([config.decoder_start_token_id, *target_ids[:-1]])
    for layer in (f"decoder.{i}" for i in range(config.num_decoder_layers)):
        x = norm(f"{layer}.self_attention_norm", x + attention(f"{layer}.self_attention", x, x, True))
        x = norm(f"{layer}.cross_attention_norm", x + attention(f"{layer}.cross_attention", x, source, False))
        x = norm(f"{layer}.output_norm", x + feed_forward(f"{layer}.feed_forward", x))
    return x @ values["embeddings.token.table"].T + values["head.bias"]


def loss_and_gradients(model, *batches, rng=None, of_step=None):
    """The losses of the batches, and all gradients that their backwards add up to."""
    model.zero_grad()
    losses = []
    for sources, targets in batches:
        loss, cache = model.forward(sources, targets, rng, of_step)
        model.backward(cache)
        losses.append(loss)
    return losses, model.storage.gradients.copy()


@pytest.fixture
def model():
    return small_seq2seq()


@pytest.fixture
def batch(model):
    return sources_and_targets(model.config)


def test_the_model_is_the_papers_formulas_pair_by_pair(model, batch):
    sources, targets = batch
    logits = targets.unpack(model(sources, targets))
    pairs = zip(sources.unpack(sources.token_ids), targets.unpack(targets.token_ids), logits, strict=True)
    for source, target, rows in pairs:
        np.testing.assert_allclose(rows, textbook_seq2seq(model, source, target), rtol=1e-9, atol=1e-11)


def test_the_loss_is_the_smoothed_surprise_at_every_token_of_every_target(model, batch):
    sources, targets = batch
    logits = model(sources, targets)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    plain = -log_p[np.arange(len(logits)), targets.token_ids]
    loss, _ = model.forward(sources, targets)
    assert loss.nats_per_token == pytest.approx(plain.mean(), rel=1e-10)
    assert loss.total == pytest.approx((0.9 * plain - 0.1 * log_p.mean(axis=1)).mean(), rel=1e-10)
    assert loss.accuracy == pytest.approx((logits.argmax(axis=1) == targets.token_ids).mean())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden_act": "gelu"},
        {"num_attention_heads": 1, "label_smoothing": 0},
        {"num_encoder_layers": 1, "num_decoder_layers": 3},
        {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.25},
    ],
    ids=str,
)
def test_the_gradient_of_every_parameter_equals_central_differences(changes):
    model = small_seq2seq(**changes)
    sources, targets = sources_and_targets(model.config)

    def forward():
        rng = generator(1, "dropout") if "attention_probs_dropout_prob" in changes else None
        return model.forward(sources, targets, rng)

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0].total)


def test_no_row_sees_the_token_that_it_must_predict_or_what_comes_after_it(model):
    sources = PackedTokens.pack([[4, 5, 6]])
    logits = model(sources, PackedTokens.pack([[7, 8, 9, 1]]))
    changed = model(sources, PackedTokens.pack([[7, 5, 9, 1]]))
    np.testing.assert_array_equal(logits[:2], changed[:2])
    assert (logits[2:] != changed[2:]).any(axis=1).all()


def test_every_row_sees_the_whole_source(model):
    targets = PackedTokens.pack([[7, 8, 1]])
    logits, changed = (model(PackedTokens.pack([ids]), targets) for ids in ([4, 5, 6], [4, 5, 9]))
    assert (logits != changed).any(axis=1).all()


@given(st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=6))
def test_a_pair_has_the_same_rows_in_any_batch_and_any_order(chosen):
    model = small_seq2seq()
    sources, targets = sources_and_targets(model.config)
    expected = model(sources, targets)[targets.rows_of(np.array(chosen))]
    found = model(sources.select(chosen), targets.select(chosen))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@given(st.lists(st.integers(0, 2), min_size=len(LENGTHS), max_size=len(LENGTHS)))
def test_the_shards_of_a_step_add_up_to_the_step_as_one_batch(shard_of_pair):
    model = small_seq2seq()
    sources, targets = sources_and_targets(model.config)
    shards = [np.flatnonzero(np.array(shard_of_pair) == shard) for shard in range(3)]
    batches = [(sources.select(shard), targets.select(shard)) for shard in shards]
    losses, gradients = loss_and_gradients(model, *batches, of_step=len(targets.token_ids))
    (expected_loss,), expected = loss_and_gradients(model, (sources, targets))
    np.testing.assert_allclose(np.sum(losses, axis=0), expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-12)


def test_without_pairs_the_loss_is_0(model):
    nothing = PackedTokens.pack([])
    (loss,), gradients = loss_and_gradients(model, (nothing, nothing))
    assert loss == (0, 0, 0)
    assert not gradients.any()


# -- token by token ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_token_by_token_equals_all_at_once(dtype, tolerance):
    """Five targets over sources of several lengths in one batch, without padding."""
    model = small_seq2seq(dtype)
    sources, targets = sources_and_targets(model.config, target_lengths=(6,) * len(LENGTHS))
    expected = model(sources, targets).reshape(len(LENGTHS), 6, -1)
    decoder = model.over(sources)
    seen = decoder.key_values(len(LENGTHS))
    inputs = targets.token_ids.reshape(len(LENGTHS), 6)
    for step in range(6):
        ids = inputs[:, step - 1] if step else [model.config.decoder_start_token_id] * len(LENGTHS)
        logits = decoder.head(decoder.hidden(PackedTokens.pack([[i] for i in ids]), seen))
        np.testing.assert_allclose(logits, expected[:, step], rtol=0, atol=tolerance * np.abs(expected).max())


# -- one model, many uses ----------------------------------------------------------------------------------------------


def test_a_second_backward_adds_the_same_gradients_again(model, batch):
    _, cache = model.forward(*batch, generator(1, "dropout"))
    model.backward(cache)
    once = model.storage.gradients.copy()
    model.backward(cache)
    np.testing.assert_allclose(model.storage.gradients, 2 * once, rtol=1e-12, atol=1e-15)


def test_one_backward_gives_every_parameter_a_gradient(model, batch):
    """Only the key biases have none: softmax takes no notice of them."""
    loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    for name, parameter in model.named_parameters():
        largest = np.abs(parameter.grad).max()
        assert largest < 1e-14 if name.endswith("key.bias") else largest > 1e-6, name


def test_a_replica_computes_the_same_gradients_into_its_own_vector(model, batch):
    replica = model.replica()
    (loss,), gradients = loss_and_gradients(replica, batch)
    assert not model.storage.gradients.any()
    (expected_loss,), expected = loss_and_gradients(model, batch)
    assert loss == expected_loss
    np.testing.assert_array_equal(gradients, expected)


def test_a_pickled_model_is_the_same_model(model, batch):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again(*batch), model(*batch))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_and_gradients_have_the_models_dtype_and_the_losses_are_floats(dtype):
    model = small_seq2seq(dtype)
    batch = sources_and_targets(model.config)
    (loss,), gradients = loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    assert gradients.dtype == model(*batch).dtype == dtype
    assert {type(number) for number in loss} == {float}


def test_neither_the_tokens_nor_the_weights_are_changed(model, batch):
    values = model.storage.values.copy()
    loss_and_gradients(model, batch, rng=generator(1, "dropout"))
    model(*batch)
    for tokens, expected in zip(batch, sources_and_targets(model.config), strict=True):
        np.testing.assert_array_equal(tokens.token_ids, expected.token_ids)
    np.testing.assert_array_equal(model.storage.values, values)


# -- the first weights, and what they learn ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_untrained_model_knows_nothing(dtype):
    """Its logits are about normal numbers of deviation 1, and with them its loss is about ln V + 1/2."""
    config = Seq2SeqConfig.preset("tiny", vocab_size=1000, max_position_embeddings=64)
    batch = sources_and_targets(config, (40, 25, 60, 60, 9), (50, 33, 20, 60, 60))
    loss, _ = Seq2Seq(config, dtype=dtype).forward(*batch)
    assert loss.nats_per_token == pytest.approx(math.log(1000) + 0.5, rel=0.05)


def test_the_seed_decides_the_first_weights():
    values = [Seq2Seq(small_seq2seq_config(), seed=seed).storage.values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()


def test_a_batch_is_learnt_by_heart():
    """Plain gradient descent. The best loss is not 0, but the entropy of what smoothing asks for."""
    config = small_seq2seq_config(hidden_dropout_prob=0, num_encoder_layers=1, num_decoder_layers=1)
    model = Seq2Seq(config, dtype=np.float64)
    sources, targets = PackedTokens.pack([[5, 6, 1], [6, 5, 1]]), PackedTokens.pack([[7, 8, 1], [8, 7, 7, 1]])
    for _ in range(400):
        loss_and_gradients(model, (sources, targets))
        model.storage.values[...] -= 0.3 * model.storage.gradients
    loss, _ = model.forward(sources, targets)
    q = np.full(23, 0.1 / 23)
    q[0] += 0.9
    assert loss.total == pytest.approx(-(q * np.log(q)).sum(), abs=0.05)
    assert loss.accuracy == pytest.approx(1)


# -- what can't be read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "targets", "words"),
    [
        ([[1, 23]], [[1]], "token id 23 is outside the vocabulary of 23 tokens"),
        ([[1]], [[23]], "token id 23 is outside the vocabulary of 23 tokens"),
        ([[1] * 10], [[1]], "a source has 10 tokens, but this model has 9 positions"),
        ([[1]], [[1] * 10], "a target has 10 tokens, but this model has 9 positions"),
        ([[1], [1]], [[1]], "there are 2 sources but 1 targets"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(model, sources, targets, words):
    for run in (model, model.forward):
        with pytest.raises(UserError, match=words):
            run(PackedTokens.pack(sources), PackedTokens.pack(targets))
