import math

import numpy as np
import pytest

from minitransformer.ops.in_batch_loss import in_batch_loss_backward, in_batch_loss_forward


def test_a_batch_worked_out_by_hand():
    """sigmoid(log 3) = 3/4: a right pair with this score costs -log 3/4, and a wrong one -log 1/4.

    Query 0: its own has log 3; of the wrong ones, log 3 has the weight 2 and 0 has 4, whose mean costs
    (2 log 4 + 4 log 2) / 2 = 4 log 2, times lambda = 1/2. Query 1 has nothing wrong, and its own has 0: log 2.
    """
    scores = np.array([[math.log(3), math.log(3), 0], [5, 0, 5]])
    weights = np.array([[7.0, 2, 4], [7, 7, 7]])
    negatives = np.array([[False, True, True], [False, False, False]])
    losses, cache = in_batch_loss_forward(scores, weights, negatives, lambda_negatives=0.5)
    np.testing.assert_allclose(losses, [math.log(4 / 3) + 2 * math.log(2), math.log(2)], rtol=1e-14)

    dscores, dweights = in_batch_loss_backward(np.array([1.0, 3]), cache)
    expected = [[3 / 4 - 1, 2 * (3 / 4) / 4, 4 * (1 / 2) / 4], [0, 3 * (1 / 2 - 1), 0]]
    np.testing.assert_allclose(dscores, expected, rtol=1e-14)
    np.testing.assert_allclose(dweights, [[0, math.log(4) / 4, math.log(2) / 4], [0, 0, 0]], rtol=1e-14)


@pytest.mark.parametrize(("reduction", "lambda_negatives"), [("sum", 1), ("mean", 3)])
def test_with_as_much_weight_as_there_are_wrong_ones_the_mean_is_the_papers_sum(reduction, lambda_negatives):
    scores = np.random.default_rng(1).normal(size=(4, 4))
    wrong = ~np.eye(4, dtype=bool)
    losses, _ = in_batch_loss_forward(scores, np.ones((4, 4)), wrong, lambda_negatives, reduction)
    of_pairs = np.log1p(np.exp(np.where(wrong, scores, -scores)))
    np.testing.assert_allclose(losses, of_pairs.sum(axis=1), rtol=1e-14)


def test_the_surest_mistakes_neither_overflow_nor_lose_the_loss():
    scores = np.array([[-1e4, 1e4], [1e4, -1e4]], np.float32)
    losses, cache = in_batch_loss_forward(scores, np.ones((2, 2), np.float32), ~np.eye(2, dtype=bool))
    np.testing.assert_array_equal(losses, [2e4, 2e4])
    np.testing.assert_array_equal(in_batch_loss_backward(np.ones(2, np.float32), cache)[0], [[-1, 1], [1, -1]])
