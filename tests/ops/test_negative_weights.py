import math

import numpy as np
import pytest

from minitransformer.ops.negative_weights import WEIGHTS, negative_weights_forward

ALL_BUT_OWN = ~np.eye(3, dtype=bool)


def weights(scores, kind, temperature=1.0, negatives=ALL_BUT_OWN):
    return negative_weights_forward(np.asarray(scores), negatives, kind, temperature)[0]


def test_scores_worked_out_by_hand():
    """Of the scores log 3, -log 3: sigmoid is 3/4, 1/4; exp is 3, 1/3, so softmax is 9/10, 1/10, times the 2 wrong."""
    scores = [[7, math.log(3), -math.log(3)], [0, 7, 0], [0, 0, 7]]
    first_rows = {
        "equal": [0, 1, 1],
        "identity": [0, math.log(3), -math.log(3)],
        "sigmoid": [0, 3 / 4, 1 / 4],
        "relu": [0, math.log(3), 0],
        "softmax": [0, 2 * 9 / 10, 2 * 1 / 10],
    }
    assert first_rows.keys() == set(WEIGHTS)
    for kind, expected in first_rows.items():
        np.testing.assert_allclose(weights(scores, kind)[0], expected, rtol=1e-14, err_msg=kind)


def test_at_a_high_temperature_all_count_alike_and_at_a_low_one_the_hardest_alone():
    scores = np.array([[5, 0.3, 0.2], [0.1, 5, 0.4], [0.3, -0.3, 5]])
    np.testing.assert_allclose(weights(scores, "softmax", temperature=1e6), weights(scores, "equal"), atol=1e-6)
    hardest = [[0, 2, 0], [0, 0, 2], [2, 0, 0]]
    np.testing.assert_allclose(weights(scores, "softmax", temperature=1e-3), hardest, atol=1e-12)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_what_is_not_wrong_has_no_weight_however_high_its_score(kind):
    """And it doesn't lower the weight of the others: a product that the query's shopper buys, too, is as if absent."""
    negatives = np.array([[False, True, False, True]])
    scores = np.array([[1e3, 0.5, 1e3, 0.25]], np.float32)
    found = weights(scores, kind, negatives=negatives)
    assert found[0, [0, 2]].tolist() == [0, 0]
    np.testing.assert_array_equal(found[0, [1, 3]], weights(scores[:, [1, 3]], kind, negatives=negatives[:, [1, 3]])[0])


@pytest.mark.parametrize("kind", WEIGHTS)
def test_a_query_without_anything_wrong_has_no_weights(kind):
    assert not weights(np.ones((2, 2)), kind, negatives=np.zeros((2, 2), bool)).any()
