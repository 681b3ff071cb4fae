import numpy as np
import pytest

from minitransformer.batches.product_pairs import product_pairs, sampled
from minitransformer.randomness import generator
from tests.small_encoders import TOKENIZER

PAIRS = [("milk", "Whole Milk"), ("milk", "Oat Milk"), ("orange", "Navel Orange"), ("Clementine", "Mandarin")]
BOUGHT_TOO = [("orange", "Mandarin"), ("orange", "a product that isn't learnt"), ("a query that isn't", "Oat Milk")]


def small_tokens(texts):
    return TOKENIZER.pack([texts])


def batch_of(pairs, others=(), num_negatives=None):
    examples = product_pairs(pairs, others, small_tokens)
    return examples.select(np.arange(len(pairs)), num_negatives, generator(0, "negatives", 0))


def negatives_of(pairs, others=()):
    return batch_of(pairs, others).targets.negatives.astype(int).tolist()


def test_the_products_of_other_queries_are_wrong_unless_the_query_is_known_to_lead_to_them():
    """Both queries for milk are one; people who asked for an orange bought the mandarin as well."""
    assert negatives_of(PAIRS, BOUGHT_TOO) == [
        # Whole Milk, Oat Milk, Navel Orange, Mandarin
        [0, 0, 1, 1],  # milk
        [0, 0, 1, 1],  # milk
        [1, 1, 0, 0],  # orange
        [1, 1, 1, 0],  # Clementine
    ]


def test_the_same_product_and_one_with_the_same_text_are_no_negatives():
    assert negatives_of([("a", "Banana"), ("b", "Banana"), ("c", "Lime")]) == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_a_product_whose_text_is_the_query_is_none():
    assert negatives_of([("Lime", "Organic Lime"), ("citrus", "Lime")]) == [[0, 0], [1, 0]]


def test_a_pair_that_was_drawn_twice_is_no_negative_of_itself():
    assert negatives_of([("a", "x"), ("a", "x"), ("b", "y")]) == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_log_q_is_how_often_a_query_and_a_product_are_among_the_pairs():
    targets = batch_of([("a", "x"), ("a", "y"), ("b", "x"), ("c", "x")]).targets
    np.testing.assert_allclose(np.exp(targets.log_q_queries), [2 / 4, 2 / 4, 1 / 4, 1 / 4])
    np.testing.assert_allclose(np.exp(targets.log_q_products), [3 / 4, 1 / 4, 3 / 4, 3 / 4])


@pytest.mark.parametrize("count", [1, 3, 100])
def test_so_many_wrong_products_are_drawn_for_each_query_and_never_a_right_one(count):
    wrong = np.random.default_rng(1).random((6, 6)) < 0.7
    found = sampled(wrong, count, generator(0, "negatives", 0))
    assert not (found & ~wrong).any()
    np.testing.assert_array_equal(found.sum(axis=1), np.minimum(wrong.sum(axis=1), count))


def test_every_wrong_product_is_drawn_as_often_as_the_others():
    """1,000 draws of one in three: each is drawn 333 times, give or take 15."""
    wrong = np.array([[False, True, True, True]])
    drawn = sum(sampled(wrong, 1, generator(0, "negatives", step)).astype(int) for step in range(1000))
    np.testing.assert_allclose(drawn[0, 1:], 1000 / 3, atol=50)


def test_a_batch_holds_the_queries_and_then_the_products():
    pairs = [("my dog", "cute"), ("he likes", "a b c")]
    batch = batch_of(pairs)
    expected = small_tokens(["my dog", "he likes", "cute", "a b c"])
    np.testing.assert_array_equal(batch.tokens.token_ids, expected.token_ids)
    assert batch.ends == [2]
