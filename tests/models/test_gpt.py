import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.language_modelling import LanguageModellingBatch
from minitransformer.errors import UserError
from minitransformer.models.gpt import Gpt, next_tokens
from minitransformer.models.gpt_config import GptConfig
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.workers import Workers
from tests.gradient_check import assert_parameter_gradients, upstream
from tests.small_models import LENGTHS, random_tokens, small_gpt, small_gpt_config


def textbook_gpt(model, token_ids):
    """logits (T, V) of one text, from the formulas of the papers and the parameters by name."""
    config, values = model.config, {name: parameter.value for name, parameter in model.named_parameters()}
    size = config.hidden_size // config.num_attention_heads

    def linear(name, x):
        return x @ values[f"{name}.weight"] + values[f"{name}.bias"]

    def norm(name, x):
        std = np.sqrt(x.var(axis=-1, keepdims=True) + config.layer_norm_eps)
        return (x - x.mean(axis=-1, keepdims=True)) / std * values[f"{name}.gamma"] + values[f"{name}.beta"]

    def attention(name, x):
        q, k, v = (linear(f"{name}.{projection}", x) for projection in ("query", "key", "value"))
        heads = []
        for head in range(config.num_attention_heads):
            columns = slice(head * size, (head + 1) * size)
            likelihoods = np.tril(np.exp(q[:, columns] @ k[:, columns].T / math.sqrt(size)))
            heads.append(likelihoods / likelihoods.sum(axis=1, keepdims=True) @ v[:, columns])
        return linear(f"{name}.output", np.hstack(heads))

    def feed_forward(name, x):
        x = linear(f"{name}.inner", x)
        gelu_new = x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return linear(f"{name}.outer", gelu_new)

    x = values["embeddings.token.table"][token_ids] + values["embeddings.position.table"][: len(token_ids)]
    for layer in (f"layers.{i}" for i in range(config.num_hidden_layers)):
        x = x + attention(f"{layer}.attention", norm(f"{layer}.attention_norm", x))
        x = x + feed_forward(f"{layer}.feed_forward", norm(f"{layer}.feed_forward_norm", x))
    return norm("norm", x) @ values["embeddings.token.table"].T


def loss_and_gradients(model, *batches, rng=None, of_step=None):
    """The losses of the batches, and all gradients that their backwards add up to."""
    model.zero_grad()
    losses = []
    for tokens in batches:
        loss, cache = model.forward(tokens, rng, of_step)
        model.backward(cache)
        losses.append(loss)
    return losses, model.storage.gradients.copy()


def num_predicted(tokens):
    return len(tokens.token_ids) - len(tokens)


@pytest.fixture
def model():
    return small_gpt()


@pytest.fixture
def tokens(model):
    return random_tokens(model.config)


def test_the_model_is_the_papers_formulas_text_by_text(model, tokens):
    logits = tokens.unpack(model(tokens))
    for ids, rows in zip(tokens.unpack(tokens.token_ids), logits, strict=True):
        np.testing.assert_allclose(rows, textbook_gpt(model, ids), rtol=1e-9, atol=1e-11)


def test_the_loss_is_the_mean_surprise_at_the_next_token_of_every_row_that_has_one(model, tokens):
    """Over all texts at once; not a mean of their means. A text of one token predicts nothing."""
    surprises, are_best = [], []
    for ids, logits in zip(tokens.unpack(tokens.token_ids), tokens.unpack(model(tokens)), strict=True):
        for row, next_id in zip(logits[:-1], ids[1:], strict=True):
            surprises.append(math.log(sum(math.exp(z) for z in row)) - row[next_id])
            are_best.append(row.argmax() == next_id)
    loss, _ = model.forward(tokens)
    assert len(surprises) == num_predicted(tokens) == 15
    assert loss.total == pytest.approx(np.mean(surprises), rel=1e-12)
    assert loss.accuracy == pytest.approx(np.mean(are_best))


def test_every_row_but_a_sequences_last_must_predict_the_token_under_it():
    rows, ids = next_tokens(PackedTokens.pack([[5, 6, 7], [8], [9, 5]]))
    assert rows.tolist() == [0, 1, 4]
    assert ids.tolist() == [6, 7, 5]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden_act": "gelu"},
        {"hidden_act": "relu"},
        {"num_attention_heads": 1},
        {"num_hidden_layers": 3},
        {"tie_word_embeddings": False},
        {"embedding_dropout_prob": 0.3, "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.25},
    ],
    ids=str,
)
def test_the_gradient_of_every_parameter_equals_central_differences(changes):
    model = small_gpt(**changes)
    tokens = random_tokens(model.config)

    def forward():
        return model.forward(tokens, generator(1, "dropout") if "hidden_dropout_prob" in changes else None)

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0].total)


def test_as_an_encoder_its_hidden_rows_have_gradients_too(model, tokens):
    """For a sentence encoder or a classifier on a GPT."""
    hidden, cache = model.hidden_forward(tokens)
    np.testing.assert_allclose(hidden, model.hidden(tokens), rtol=1e-12)
    d_hidden = upstream(hidden)
    model.hidden_backward(d_hidden, cache)
    assert_parameter_gradients(model, lambda: (model.hidden(tokens) * d_hidden).sum())


def test_no_row_sees_what_comes_after_it(model):
    logits = model(PackedTokens.pack([[4, 5, 6, 7]]))
    changed = model(PackedTokens.pack([[4, 5, 8, 7]]))
    np.testing.assert_array_equal(logits[:2], changed[:2])
    assert (logits[2:] != changed[2:]).all()


@given(st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=6))
def test_a_text_has_the_same_rows_in_any_batch_and_any_order(chosen):
    model = small_gpt()
    tokens = random_tokens(model.config)
    expected = model(tokens)[tokens.rows_of(np.array(chosen))]
    np.testing.assert_allclose(model(tokens.select(chosen)), expected, rtol=1e-10, atol=1e-12)


@given(st.lists(st.integers(0, 2), min_size=len(LENGTHS), max_size=len(LENGTHS)))
def test_the_shards_of_a_step_add_up_to_the_step_as_one_batch(shard_of_text):
    model = small_gpt()
    tokens = random_tokens(model.config)
    shards = [tokens.select(np.flatnonzero(np.array(shard_of_text) == shard)) for shard in range(3)]
    losses, gradients = loss_and_gradients(model, *shards, of_step=num_predicted(tokens))
    (expected_loss,), expected = loss_and_gradients(model, tokens)
    np.testing.assert_allclose(np.sum(losses, axis=0), expected_loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("texts", [[], [[4], [5]]])
def test_a_batch_that_predicts_nothing_has_the_loss_0_and_no_gradients(model, texts):
    """Transformers answers with nan here."""
    (loss,), gradients = loss_and_gradients(model, PackedTokens.pack(texts))
    assert loss == (0, 0)
    assert not gradients.any()
    assert model(PackedTokens.pack(texts)).shape == (len(texts), 23)


# -- token by token ----------------------------------------------------------------------------------------------------


def rest(tokens, first, end):
    """Tokens first .. end - 1 of every sequence, each of which has so many."""
    return PackedTokens.pack([ids[first:end] for ids in tokens.unpack(tokens.token_ids)])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("prompts", [(1, 1, 1, 1), (4, 1, 3, 3)], ids=str)
def test_token_by_token_equals_all_at_once(dtype, tolerance, prompts):
    """Prompts of several lengths in one batch, without padding; then a token for each at every step."""
    model = small_gpt(dtype)
    texts = [np.random.default_rng(s).integers(0, 23, length + 5) for s, length in enumerate(prompts)]
    expected = [model(PackedTokens.pack([text])) for text in texts]
    size = max(np.abs(logits).max() for logits in expected)

    def assert_equal(logits, rows):
        wanted = np.concatenate([text_logits[row] for text_logits, row in zip(expected, rows, strict=True)])
        np.testing.assert_allclose(logits, wanted, rtol=0, atol=tolerance * size)

    seen = model.key_values(len(texts))
    prompt = PackedTokens.pack([text[:length] for text, length in zip(texts, prompts, strict=True)])
    assert_equal(model(prompt, seen), [slice(0, length) for length in prompts])
    for step in range(5):
        places = [slice(length + step, length + step + 1) for length in prompts]
        following = PackedTokens.pack([text[place] for text, place in zip(texts, places, strict=True)])
        assert_equal(model(following, seen), places)


def test_a_text_that_grows_beyond_the_positions_is_refused(model):
    seen = model.key_values(1)
    model(PackedTokens.pack([[1] * 8]), seen)
    model(PackedTokens.pack([[1]]), seen)
    with pytest.raises(UserError, match="position 9 is outside the 9 positions"):
        model(PackedTokens.pack([[1]]), seen)


# -- one model, many uses ----------------------------------------------------------------------------------------------


def test_the_tied_table_gets_what_its_two_uses_get_apart(model, tokens):
    untied = small_gpt(tie_word_embeddings=False)
    values = dict(model.named_parameters())
    for name, parameter in untied.named_parameters():
        parameter.value[...] = values.get(name, model.embeddings.token.table).value
    loss_and_gradients(model, tokens)
    loss_and_gradients(untied, tokens)
    by_lookup, by_scores = untied.embeddings.token.table.grad, untied.head.table.grad
    assert by_scores.all()
    np.testing.assert_allclose(model.embeddings.token.table.grad, by_lookup + by_scores, rtol=1e-9, atol=1e-13)
    assert untied.num_parameters - model.num_parameters == 23 * 12


def test_a_second_backward_adds_the_same_gradients_again(model, tokens):
    _, cache = model.forward(tokens, generator(1, "dropout"))
    model.backward(cache)
    once = model.storage.gradients.copy()
    model.backward(cache)
    np.testing.assert_allclose(model.storage.gradients, 2 * once, rtol=1e-12, atol=1e-15)


def test_one_backward_gives_every_parameter_a_gradient(model, tokens):
    """Only the key biases have none: softmax takes no notice of them."""
    loss_and_gradients(model, tokens, rng=generator(1, "dropout"))
    for name, parameter in model.named_parameters():
        largest = np.abs(parameter.grad).max()
        assert largest < 1e-14 if name.endswith("key.bias") else largest > 1e-3, name


def test_a_replica_computes_the_same_gradients_into_its_own_vector(model, tokens):
    replica = model.replica()
    (loss,), gradients = loss_and_gradients(replica, tokens)
    assert not model.storage.gradients.any()
    (expected_loss,), expected = loss_and_gradients(model, tokens)
    assert loss == expected_loss
    np.testing.assert_array_equal(gradients, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_workers_give_the_gradients_of_the_whole_batch(model, tokens, count):
    (expected_loss,), expected = loss_and_gradients(model, tokens)
    with Workers(model, count) as workers:
        loss, norm = workers.gradients(LanguageModellingBatch(tokens))
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-12)
    np.testing.assert_allclose(model.storage.gradients, expected, rtol=1e-9, atol=1e-13)
    assert norm == pytest.approx(np.linalg.norm(expected), rel=1e-9)


def test_a_pickled_model_is_the_same_model(model, tokens):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again(tokens), model(tokens))
    assert again.num_parameters == model.num_parameters


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_and_gradients_have_the_models_dtype_and_the_losses_are_floats(dtype):
    model = small_gpt(dtype)
    tokens = random_tokens(model.config)
    (loss,), gradients = loss_and_gradients(model, tokens, rng=generator(1, "dropout"))
    assert gradients.dtype == model(tokens).dtype == model(tokens, model.key_values(len(tokens))).dtype == dtype
    assert {type(number) for number in loss} == {float}


def test_neither_the_tokens_nor_the_weights_are_changed(model, tokens):
    values = model.storage.values.copy()
    loss_and_gradients(model, tokens, rng=generator(1, "dropout"))
    model(tokens, model.key_values(len(tokens)))
    for name, array in vars(random_tokens(model.config)).items():
        np.testing.assert_array_equal(getattr(tokens, name), array)
    np.testing.assert_array_equal(model.storage.values, values)


def test_frozen_layers_have_no_dropout_and_those_above_train_on(tokens):
    trained, model = (small_gpt(hidden_dropout_prob=0.5, embedding_dropout_prob=0.5) for _ in range(2))
    model.freeze(model.embeddings, model.layers[0])
    trained.layers[1].attention.hidden_dropout = model.layers[1].attention.hidden_dropout = 0
    trained.layers[1].feed_forward.dropout = model.layers[1].feed_forward.dropout = 0
    trained.layers[1].attention.attention_dropout = model.layers[1].attention.attention_dropout = 0
    (loss,), gradients = loss_and_gradients(model, tokens, rng=generator(1, "dropout"))
    (expected_loss,), _ = loss_and_gradients(trained, tokens)
    assert loss.total == pytest.approx(expected_loss.total, rel=1e-12)
    assert gradients.size == model.layers[1].num_parameters + model.norm.num_parameters
    for (name, parameter), (_, expected) in zip(
        model.layers[1].named_parameters(), trained.layers[1].named_parameters(), strict=True
    ):
        np.testing.assert_allclose(parameter.grad, expected.grad, rtol=1e-10, atol=1e-13, err_msg=name)


# -- the first weights, and what they learn ----------------------------------------------------------------------------


def test_the_seed_decides_the_first_weights():
    values = [Gpt(small_gpt_config(), seed=seed).storage.values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()
    assert values[0].dtype == np.float32


def test_the_first_weights_are_gpt2s():
    """N(0, 0.02), and for the 2 L matrices that write into the sum 0.02 / sqrt(2 L); no bias, gamma 1, beta 0."""
    model = Gpt(GptConfig.preset("tiny", vocab_size=1000))
    for name, parameter in model.named_parameters():
        if parameter.value.ndim == 2:
            writes_into_the_sum = name.endswith(("attention.output.weight", "feed_forward.outer.weight"))
            expected = 0.02 / math.sqrt(4) if writes_into_the_sum else 0.02
            assert parameter.value.std() == pytest.approx(expected, rel=0.02), name
            assert np.abs(parameter.value).max() > 3 * expected, f"{name} isn't normal, but truncated"
        else:
            assert (parameter.value == name.endswith("gamma")).all(), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_untrained_model_knows_nothing(dtype):
    """Its loss is that of guessing: ln V."""
    config = GptConfig.preset("tiny", vocab_size=1000)
    loss, _ = Gpt(config, dtype=dtype).forward(random_tokens(config, lengths=(40, 25, 60, 60, 9)))
    assert loss.total == pytest.approx(math.log(1000), rel=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_is_learnt_by_heart(dtype):
    """Plain gradient descent with dropout. Two texts begin alike, so the best loss isn't 0, but ln 2 / 9 = 0.077."""
    config = small_gpt_config(embedding_dropout_prob=0, hidden_dropout_prob=0.05)
    model = Gpt(config, dtype=dtype)
    tokens = PackedTokens.pack([[1, 5, 3, 9, 2, 7], [1, 6, 2, 2, 8]])
    for step in range(600):
        model.zero_grad()
        _, cache = model.forward(tokens, generator(1, "dropout", step))
        model.backward(cache)
        model.storage.values[...] -= 0.3 * model.storage.gradients
    last, _ = model.forward(tokens)
    best = 2 * math.log(2) / 9
    assert best < last.total < best + 0.1
    assert last.accuracy == pytest.approx(8 / 9)


# -- what can't be read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token_ids", "segment_ids", "words"),
    [
        ([1, 23], [0, 0], "token id 23 is outside the vocabulary of 23 tokens"),
        ([1] * 10, [0] * 10, "position 9 is outside the 9 positions"),
        ([1, 22], [0, 1], "there is a segment id 1, but a GPT has no segments"),
    ],
)
def test_ids_without_a_row_in_the_tables_are_refused_in_words(model, token_ids, segment_ids, words):
    tokens = PackedTokens.pack([token_ids], [segment_ids])
    for run in (model, model.forward):
        with pytest.raises(UserError, match=words):
            run(tokens)
