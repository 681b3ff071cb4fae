"""Two shops in one: who buys products 0 to 4 never buys 5 to 9."""

import numpy as np

from minitransformer.ops.normalise import normalise_forward
from minitransformer.randomness import generator
from scripts.experiments.product2vec import NEIGHBOURS, draw_pairs, train_product_vectors


def baskets(number=200):
    rng = np.random.default_rng(0)
    return [rng.permutation(5)[:3] + 5 * (i % 2) for i in range(number)]


def test_what_is_bought_together_is_near_and_what_never_is_is_far():
    vectors = normalise_forward(train_product_vectors(baskets(), 10, epochs=10))[0]
    cosines = vectors @ vectors.T
    assert cosines[:5, :5].min() > cosines[:5, 5:].max()
    assert cosines[5:, 5:].min() > cosines[:5, 5:].max()


def test_vectors_are_a_function_of_the_seed():
    first, again, other = (train_product_vectors(baskets(20), 10, seed=seed, epochs=1) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_neighbours_are_other_products_of_the_same_basket():
    pairs = draw_pairs([[3, 7], [1, 4, 5]], generator(0, "neighbours"))
    assert len(pairs) == 5 * NEIGHBOURS
    assert {*map(tuple, pairs.tolist())} <= {
        (a, b) for basket in ([3, 7], [1, 4, 5]) for a in basket for b in basket if a != b
    }
