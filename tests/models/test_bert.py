import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.models.bert import Bert
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from tests.gradient_check import assert_parameter_gradients, upstream
from tests.small_models import LENGTHS, random_tokens, randomise, small_config

ERF = np.vectorize(math.erf)


def small_bert(dtype=np.float64, **changes):
    return randomise(Bert(small_config(**changes), dtype=dtype))


def textbook_bert(model, token_ids, segment_ids):
    """hidden (T, H) and pooled (H,) of one sentence, from the formulas of the papers and the parameters by name."""
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
            likelihoods = np.exp(q[:, columns] @ k[:, columns].T / math.sqrt(size))
            heads.append(likelihoods / likelihoods.sum(axis=1, keepdims=True) @ v[:, columns])
        return linear(f"{name}.output", np.hstack(heads))

    def feed_forward(name, x):
        x = linear(f"{name}.inner", x)
        return linear(f"{name}.outer", x * (1 + ERF(x / math.sqrt(2))) / 2)

    x = values["embeddings.token.table"][token_ids] + values["embeddings.segment.table"][segment_ids]
    x = norm("embeddings.norm", x + values["embeddings.position.table"][: len(token_ids)])
    for layer in (f"layers.{i}" for i in range(config.num_hidden_layers)):
        x = norm(f"{layer}.attention_norm", x + attention(f"{layer}.attention", x))
        x = norm(f"{layer}.output_norm", x + feed_forward(f"{layer}.feed_forward", x))
    return x, np.tanh(linear("pooler", x[0]))


def test_the_encoder_is_the_papers_formulas_sentence_by_sentence():
    model = small_bert()
    tokens = random_tokens(model.config)
    hidden, pooled = model(tokens)
    for s, (ids, segments, rows) in enumerate(
        zip(tokens.unpack(tokens.token_ids), tokens.unpack(tokens.segment_ids), tokens.unpack(hidden), strict=True)
    ):
        expected_rows, expected_pooled = textbook_bert(model, ids, segments)
        np.testing.assert_allclose(rows, expected_rows, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(pooled[s], expected_pooled, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("with_pooled", [False, True])
def test_the_gradient_of_every_parameter_equals_central_differences(dropout, with_pooled):
    model = small_bert(hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3)
    tokens = random_tokens(model.config)
    rng = np.random.default_rng(6)
    d_hidden, d_pooled = rng.normal(size=(20, 12)), rng.normal(size=(5, 12)) if with_pooled else None

    def forward():
        return model.forward(tokens, generator(1, "dropout") if dropout else None)

    def loss():
        (hidden, pooled), _ = forward()
        return (hidden * d_hidden).sum() + ((pooled * d_pooled).sum() if with_pooled else 0)

    model.backward(d_hidden, d_pooled, forward()[1])
    assert_parameter_gradients(model, loss)


@given(st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=6))
def test_a_sentence_has_the_same_rows_in_any_batch_and_any_order(chosen):
    model = small_bert()
    tokens = random_tokens(model.config)
    hidden, pooled = model(tokens)
    chosen_hidden, chosen_pooled = model(tokens.select(chosen))
    np.testing.assert_allclose(chosen_hidden, hidden[tokens.rows_of(np.array(chosen))], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(chosen_pooled, pooled[chosen], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_calling_the_model_is_its_forward_without_dropout_in_the_models_dtype(dtype):
    model = small_bert(dtype)
    tokens = random_tokens(model.config)
    (expected_hidden, expected_pooled), _ = model.forward(tokens)
    hidden, pooled = model(tokens)
    assert hidden.dtype == pooled.dtype == expected_hidden.dtype == expected_pooled.dtype == dtype
    np.testing.assert_allclose(hidden, expected_hidden, rtol=1e4 * np.finfo(dtype).eps, atol=1e3 * np.finfo(dtype).eps)
    np.testing.assert_allclose(pooled, expected_pooled, rtol=1e4 * np.finfo(dtype).eps, atol=1e3 * np.finfo(dtype).eps)


def test_dropout_comes_from_the_rng_alone():
    model = small_bert()
    tokens = random_tokens(model.config)
    (first, _), _ = model.forward(tokens, generator(1, "dropout", 0))
    (again, _), _ = model.forward(tokens, generator(1, "dropout", 0))
    (other, _), _ = model.forward(tokens, generator(1, "dropout", 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != model(tokens)[0]).any()


def test_word_order_changes_the_rows_and_without_positions_only_their_order():
    """The lecture's pair: "me loves my friend" and "my friend loves me" are the same words."""
    model = small_bert()
    order = np.array([2, 3, 1, 0])
    hidden, _ = model(PackedTokens.pack([[4, 5, 6, 7]]))
    reordered, _ = model(PackedTokens.pack([np.array([4, 5, 6, 7])[order]]))
    assert np.abs(reordered - hidden[order]).max() > 0.01
    model.embeddings.position.table.value[...] = 0
    hidden, _ = model(PackedTokens.pack([[4, 5, 6, 7]]))
    reordered, _ = model(PackedTokens.pack([np.array([4, 5, 6, 7])[order]]))
    np.testing.assert_allclose(reordered, hidden[order], rtol=1e-10)


def test_every_row_sees_both_sides():
    """Bidirectional: another last token changes the first row, another first token the last row."""
    model = small_bert()
    hidden, _ = model(PackedTokens.pack([[4, 5, 6, 7]]))
    for other in ([4, 5, 6, 8], [8, 5, 6, 7]):
        assert (model(PackedTokens.pack([other]))[0] != hidden).all()


def test_a_batch_without_sentences_has_no_rows_and_no_gradients():
    model = small_bert()
    tokens = PackedTokens.pack([])
    (hidden, pooled), cache = model.forward(tokens)
    assert hidden.shape == pooled.shape == model(tokens)[0].shape == (0, 12)
    model.backward(hidden, pooled, cache)
    assert not model.storage.gradients.any()


def test_the_longest_sentence_fits_and_one_token_more_is_refused():
    model = small_bert()
    assert model(PackedTokens.pack([[1] * 9]))[0].shape == (9, 12)
    with pytest.raises(UserError, match="position 9 is outside the 9 positions"):
        model(PackedTokens.pack([[1] * 10]))


@pytest.mark.parametrize(
    ("token_ids", "segment_ids", "words"),
    [
        ([1, 23], [0, 0], "token id 23 is outside the vocabulary of 23 tokens"),
        ([1, 22], [0, 5], "segment id 5: this model has 5 segments"),
    ],
)
def test_ids_without_a_row_in_the_tables_are_refused_in_words(token_ids, segment_ids, words):
    model = small_bert()
    tokens = PackedTokens.pack([token_ids], [segment_ids])
    for run in (model, model.forward):
        with pytest.raises(UserError, match=words):
            run(tokens)


def test_the_seed_decides_the_first_weights():
    config = small_config()
    values = [Bert(config, seed=seed).storage.values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()
    assert values[0].dtype == np.float32


def test_a_frozen_encoder_has_no_dropout_and_only_the_pooler_has_gradients():
    trained, model = (small_bert(hidden_dropout_prob=0.5) for _ in range(2))
    tokens = random_tokens(model.config)
    model.freeze(model.embeddings, model.layers)
    (hidden, pooled), cache = model.forward(tokens, generator(1, "dropout"))
    for found, expected in zip((hidden, pooled), trained(tokens), strict=True):
        np.testing.assert_array_equal(found, expected)
    model.backward(upstream(hidden), upstream(pooled), cache)
    assert model.storage.gradients.size == model.pooler.num_parameters
    trained.backward(np.zeros_like(hidden), upstream(pooled), trained.forward(tokens)[1])
    np.testing.assert_allclose(model.pooler.weight.grad, trained.pooler.weight.grad, rtol=1e-12)


def test_what_is_frozen_between_trained_parts_lets_gradients_through():
    """As under LoRA: an encoder whose first layer is trained gets the gradients that it would have without freezing."""
    trained, model = small_bert(), small_bert()
    tokens = random_tokens(model.config)
    model.freeze(model.embeddings, model.layers[1], model.pooler)
    for bert in (trained, model):
        (hidden, pooled), cache = bert.forward(tokens)
        bert.backward(upstream(hidden), upstream(pooled), cache)
    for (name, parameter), (_, expected) in zip(
        model.layers[0].named_parameters(), trained.layers[0].named_parameters(), strict=True
    ):
        np.testing.assert_allclose(parameter.grad, expected.grad, rtol=1e-12, atol=1e-14, err_msg=name)
    assert model.storage.gradients.size == model.layers[0].num_parameters
