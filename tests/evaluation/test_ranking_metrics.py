import numpy as np
import pytest

from minitransformer.evaluation import ranking_metrics as module
from minitransformer.evaluation.ranking_metrics import ranking_metrics, triplet_accuracy

ANCHORS = np.array([[1.0, 0], [0, 1], [1, 1]])
CANDIDATES = np.array([[2.0, 0], [3, 1], [0, 5]])  # angles to the x axis: 0, 18 and 90 degrees


def test_ranks_worked_by_hand():
    """Anchor 0 (0 degrees) has its answer first. Anchor 1 (90) finds candidate 2, then its own: rank 2. Anchor 2 (45):
    candidate 1 is 27 degrees away; candidates 0 and 2 both 45, of which its own, 2, comes last: rank 3."""
    found = ranking_metrics(ANCHORS, CANDIDATES, np.arange(3))
    assert found.mean_reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, rel=1e-12)
    assert found.accuracy == pytest.approx(1 / 3)


def test_equal_texts_share_a_place():
    """With candidates 1 and 2 one text, it is the right answer to anchors 1 and 2, wherever either copy stands."""
    candidates = CANDIDATES[[0, 1, 1]]
    found = ranking_metrics(ANCHORS, candidates, np.array([0, 1, 1]))
    assert found == (1, 1)
    apart = ranking_metrics(ANCHORS, candidates, np.array([0, 1, 2]))
    assert apart.mean_reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)  # each copy comes after the other


def test_collapsed_embeddings_find_nothing():
    same = np.ones((5, 3))
    assert ranking_metrics(same, same, np.arange(5)) == (pytest.approx(1 / 5), 0)


def test_the_length_of_an_embedding_plays_no_part():
    rng = np.random.default_rng(0)
    u, v, lengths = rng.normal(size=(20, 4)), rng.normal(size=(20, 4)), rng.uniform(0.1, 9, size=(20, 1))
    assert ranking_metrics(u, lengths * v, np.arange(20)) == ranking_metrics(u, v, np.arange(20))


def test_anchors_are_ranked_a_part_at_a_time(monkeypatch):
    rng = np.random.default_rng(0)
    u, v, ids = rng.normal(size=(20, 4)), rng.normal(size=(20, 4)), rng.integers(0, 15, 20)
    whole = ranking_metrics(u, v, ids)
    monkeypatch.setattr(module, "_ROWS", 3)
    assert ranking_metrics(u, v, ids) == whole


def test_triplet_accuracy_worked_by_hand():
    """Distances to positive and negative: 1 and 2, right; 2 and 1, wrong; 1 and 1, a tie, which is wrong; 0 and 5."""
    anchors = np.zeros((4, 2))
    positives = np.array([[1.0, 0], [0, 2], [1, 0], [0, 0]])
    negatives = np.array([[0, -2.0], [1, 0], [0, -1], [3, 4]])
    assert triplet_accuracy(anchors, positives, negatives) == 0.5
