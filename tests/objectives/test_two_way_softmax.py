"""Whether logQ is added or subtracted has been wrong in well-known libraries: here it is worked out on three items."""

import numpy as np
import pytest

from minitransformer.batches.pair_targets import PairTargets
from minitransformer.nn.pair_scores import DotProduct
from minitransformer.objectives.two_way_softmax import TwoWaySoftmaxObjective


def softmax_of_query(query, scores, log_q):
    """What each product of the batch has in the softmax of one of its queries."""
    size = len(scores)
    targets = PairTargets(~np.eye(size, dtype=bool), np.zeros(size), np.asarray(log_q))
    objective = TwoWaySoftmaxObjective(DotProduct(), log_q=True)
    _, cache = objective.forward((scores, np.eye(size)), targets)  # the products are unit vectors
    return cache.losses.rows.probabilities[query]


def test_with_logq_a_batch_of_three_items_drawn_unequally_has_the_softmax_over_the_three():
    """exp(score) is 2, 3 and 5 for a shop's products A, B and C, so their softmax is 2/10, 3/10 and 5/10.

    Half of all purchases are of A, a quarter each of B and C, and so is the batch: A A B C. Uncorrected, A counts
    twice, and B has 3 / (2 + 2 + 3 + 5) = 3/12. Minus log q, it is 3 / q = 12 of 2/q + 2/q + 3/q + 5/q = 40, which is
    3/10. Plus log q would make it worse: A would count four times, and B have 3/16.
    """
    scores, q = np.tile(np.log([2, 2, 3, 5]), (4, 1)), np.array([1 / 2, 1 / 2, 1 / 4, 1 / 4])
    b, c = 2, 3
    np.testing.assert_allclose(softmax_of_query(b, scores, np.zeros(4))[[b, c]], [3 / 12, 5 / 12], rtol=1e-14)
    np.testing.assert_allclose(softmax_of_query(b, scores, np.log(q))[[b, c]], [3 / 10, 5 / 10], rtol=1e-14)
    np.testing.assert_allclose(softmax_of_query(b, scores, -np.log(q))[[b, c]], [3 / 16, 5 / 16], rtol=1e-14)


def test_a_rare_product_is_pushed_away_the_more_where_it_is_in_the_batch():
    """Equal scores, the second product drawn four times as often as the third: it gets a fourth of its push."""
    queries, products = np.zeros((3, 3)), np.eye(3)
    targets = PairTargets(~np.eye(3, dtype=bool), np.zeros(3), np.log([0.1, 0.4, 0.1]))
    objective = TwoWaySoftmaxObjective(DotProduct(), log_q=True)
    d_queries, _ = objective.backward(objective.forward((queries, products), targets)[1])
    of_columns = 1 / 3  # in the products' own softmax all three queries are alike
    first_row = 2 * 3 * d_queries[0] - [of_columns - 1, of_columns, of_columns]
    np.testing.assert_allclose(first_row, [10 / 22.5 - 1, 2.5 / 22.5, 10 / 22.5], rtol=1e-12)


def test_both_corrections_in_one_matrix_are_each_direction_with_its_own():
    rng = np.random.default_rng(3)
    scores, log_queries, log_products = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    targets = PairTargets(~np.eye(4, dtype=bool), log_queries, log_products)
    loss, _ = TwoWaySoftmaxObjective(DotProduct(), log_q=True).forward((scores, np.eye(4)), targets)
    rows, columns = np.exp(scores - log_products), np.exp(scores - log_queries[:, None])
    expected = -np.log(np.diag(rows) / rows.sum(axis=1)) - np.log(np.diag(columns) / columns.sum(axis=0))
    assert loss == pytest.approx(expected.mean() / 2)


def test_without_the_correction_how_often_something_is_drawn_does_not_matter():
    embeddings = tuple(np.random.default_rng(4).normal(size=(2, 4, 3)))
    objective = TwoWaySoftmaxObjective(DotProduct())
    targets = PairTargets(~np.eye(4, dtype=bool), np.arange(4.0), np.arange(4.0))
    assert objective.forward(embeddings, targets)[0] == objective.forward(embeddings)[0]
