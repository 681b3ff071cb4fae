import numpy as np
import pytest

from minitransformer import UserError
from minitransformer.inference.in_batch_negatives import in_batch_negatives
from minitransformer.models.two_towers import TwoTowers, new_towers
from minitransformer.ops.negative_weights import WEIGHTS, negative_weights_forward
from tests.small_encoders import small_encoder
from tests.small_models import randomise

QUERIES, PRODUCTS = ["my dog", "he likes", "a"], ["dog is cute", "play", "b c"]


@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_weights_are_those_of_the_loss(kind):
    encoder = small_encoder()
    found = in_batch_negatives(TwoTowers(encoder, encoder), QUERIES, PRODUCTS, kind, 0.2)
    np.testing.assert_allclose(found.similarities, encoder.similarity(QUERIES, PRODUCTS), atol=1e-6)
    expected, _ = negative_weights_forward(found.similarities, ~np.eye(3, dtype=bool), kind, 0.2)
    np.testing.assert_array_equal(found.weights, expected)


@pytest.mark.parametrize("score", ["cosine", "dot"])
def test_queries_go_through_one_tower_and_products_through_the_other_and_compare_as_they_were_trained(score):
    towers = new_towers(small_encoder(), 5, score, shared=False, seed=0)
    randomise(towers.product, seed=7)
    found = in_batch_negatives(towers, QUERIES, PRODUCTS, "equal", 1.0).similarities
    queries, products = towers.query.encode(QUERIES), towers.product.encode(PRODUCTS)
    if score == "cosine":
        queries, products = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, products))
    np.testing.assert_allclose(found, queries @ products.T, rtol=1e-4)


def test_a_text_that_is_right_elsewhere_in_the_batch_is_not_wrong():
    """The first query has both x and y, and z is right for two queries."""
    encoder = small_encoder()
    pairs = [("a", "play"), ("a", "cute"), ("b", "dog"), ("c", "dog")]
    found = in_batch_negatives(TwoTowers(encoder, encoder), *zip(*pairs, strict=True), "equal", 1.0)
    assert found.negatives.astype(int).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    assert (found.weights == found.negatives).all()


def test_a_batch_in_which_nothing_is_wrong_is_refused():
    encoder = small_encoder()
    with pytest.raises(UserError, match="all texts of the batch belong together"):
        in_batch_negatives(TwoTowers(encoder, encoder), ["a", "b"], ["dog", "dog"], "equal", 1.0)
