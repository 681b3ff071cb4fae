import numpy as np

from minitransformer.objectives.ranking import RankingObjective, text_ids_of


def test_equal_texts_have_equal_numbers_in_all_columns():
    ids = text_ids_of((["a cat", "a dog", "a cat"], ["a pet", "a cat", "a pet"]))
    assert ids.shape == (2, 3)
    assert ids[0, 0] == ids[0, 2] == ids[1, 1]
    assert ids[1, 0] == ids[1, 2]
    assert len(set(ids.flat)) == 3


def test_a_pair_that_is_in_the_batch_twice_is_pulled_as_if_it_were_there_once():
    """Without the numbers of the texts, each copy would be pushed away from the other's positive."""
    anchors, positives = np.random.default_rng(1).normal(size=(2, 3, 4))
    objective = RankingObjective()
    _, once = objective.forward((anchors, positives))
    copies = [0, 0, 1, 2]
    text_ids = text_ids_of((["a", "a", "b", "c"], ["x", "x", "y", "z"]))
    _, twice = objective.forward((anchors[copies], positives[copies]), text_ids)
    np.testing.assert_allclose(4 * objective.backward(twice)[0][0], 3 * objective.backward(once)[0][0], rtol=1e-12)
