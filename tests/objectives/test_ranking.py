import numpy as np
import pytest

from minitransformer.objectives.ranking import RankingObjective
from tests.gradient_check import assert_gradient


def test_a_pair_that_is_in_the_batch_twice_is_pulled_as_if_it_were_there_once():
    """Without the numbers of the texts, each copy would be pushed away from the other's positive."""
    anchors, positives = np.random.default_rng(1).normal(size=(2, 3, 4))
    objective = RankingObjective()
    _, once = objective.forward((anchors, positives))
    copies = [0, 0, 1, 2]
    text_ids = np.array([[0, 0, 1, 2], [3, 3, 4, 5]])  # the texts a a b c, and x x y z
    _, twice = objective.forward((anchors[copies], positives[copies]), text_ids)
    np.testing.assert_allclose(4 * objective.backward(twice)[0][0], 3 * objective.backward(once)[0][0], rtol=1e-12)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("sizes", [(1,), (2, 1), (7,), (0,)])
def test_any_number_of_hard_negatives_has_gradients_equal_to_central_differences(symmetric, sizes):
    """Columns of as many negatives as there happen to be; a text of one of them is an anchor's right answer, too."""
    rng = np.random.default_rng(2)
    embeddings = tuple(rng.normal(size=(size, 3)) for size in (4, 4, *sizes))
    text_ids = np.split(np.arange(sum(map(len, embeddings))), np.cumsum([len(e) for e in embeddings])[:-1])
    text_ids[2][:1] = text_ids[1][0]
    objective = RankingObjective(5.0, symmetric)
    _, cache = objective.forward(embeddings, text_ids)
    gradients = objective.backward(cache)
    assert [gradient.shape for gradient in gradients] == [embedding.shape for embedding in embeddings]
    for i, gradient in enumerate(gradients):
        if len(gradient):
            loss = lambda: np.asarray(objective.forward(embeddings, text_ids)[0])  # noqa: E731
            assert_gradient(gradient, loss, embeddings[i], np.ones(()), f"column {i}")


def test_a_hard_negative_counts_for_every_anchor_and_a_right_answer_for_its_own_not():
    """By hand, scale 1: the anchor's cosines are 1 with its positive, 0 with the other's, 0 with the negative."""
    anchors, positives = np.eye(3)[:2], np.eye(3)[:2]
    negative = np.eye(3)[2:]
    loss, _ = RankingObjective(1.0).forward((anchors, positives, negative))
    assert loss == pytest.approx(np.log(np.e + 1 + 1) - 1)
    same_text = RankingObjective(1.0).forward(
        (anchors, positives, negative), [np.array(ids) for ids in ([0, 1], [2, 3], [2])]
    )[0]
    assert same_text == pytest.approx((np.log(np.e + 1) + np.log(np.e + 2)) / 2 - 1)
