import math

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.sts import evaluate_sts

ANGLES = {"east": 0.0, "a bit north": 0.3, "north-east": 0.8, "north": 1.6, "west": 3.0}


def encode(texts):
    """Texts as directions in a plane, of different lengths."""
    return np.array([[math.cos(ANGLES[text]), math.sin(ANGLES[text])] for text in texts]) * len(texts)


def test_the_right_order_is_a_spearman_of_100():
    others = ["west", "a bit north", "north", "north-east"]
    scores = evaluate_sts(encode, ["east"] * 4, others, [0, 4.8, 2.1, 2.2])
    assert math.isclose(scores.spearman, 100)
    assert 85 < scores.pearson < 95
    assert scores.pairs == 4
    np.testing.assert_allclose(scores.health.effective_rank, 2, rtol=0.2)


def test_the_opposite_order_is_minus_100():
    assert math.isclose(evaluate_sts(encode, ["east"] * 2, ["west", "north"], [5, 1]).spearman, -100)


def test_collapsed_embeddings_have_no_correlation_and_a_mean_cosine_of_1():
    scores = evaluate_sts(lambda texts: np.ones((len(texts), 4)), ["a", "b"], ["c", "d"], [1, 2])
    assert math.isnan(scores.spearman)
    assert math.isnan(scores.pearson)
    assert math.isclose(scores.health.mean_cosine, 1)


def test_equal_gold_scores_are_refused():
    with pytest.raises(UserError, match="all 2 pairs have the same score"):
        evaluate_sts(encode, ["east", "west"], ["north", "north"], [3, 3])
