import math

import numpy as np

from minitransformer.ops.ranking_loss import ranking_loss_backward, ranking_loss_forward, right_answers


def test_a_batch_worked_out_by_hand():
    """Scale log 2 turns similarities into powers of 2: softmax of (1, 0) is (2, 1) / 3, of (2, 1) it is (4, 2) / 6.

    loss_0 = -log(2/3), loss_1 = -log(2/6); with dlosses = (1, 3) the gradient is log 2 times
    (2/3 - 1, 1/3) and 3 (4/6, 2/6 - 1)
    """
    similarities = np.array([[1.0, 0], [2, 1]])
    losses, cache = ranking_loss_forward(similarities, None, math.log(2), symmetric=False)
    np.testing.assert_allclose(losses, [-math.log(2 / 3), -math.log(1 / 3)], rtol=1e-14)
    gradient = ranking_loss_backward(np.array([1.0, 3]), cache)
    np.testing.assert_allclose(gradient, math.log(2) * np.array([[-1 / 3, 1 / 3], [2, -2]]), rtol=1e-14)


def test_the_symmetric_form_is_the_mean_of_both_directions():
    similarities = np.random.default_rng(8).normal(size=(4, 4))
    rows, rows_cache = ranking_loss_forward(similarities, None, 3.0, symmetric=False)
    columns, columns_cache = ranking_loss_forward(similarities.T, None, 3.0, symmetric=False)
    both, both_cache = ranking_loss_forward(similarities, None, 3.0, symmetric=True)
    np.testing.assert_allclose(both, (rows + columns) / 2, rtol=1e-14)
    dlosses = np.array([1.0, -2, 3, 0.5])
    expected = ranking_loss_backward(dlosses, rows_cache) + ranking_loss_backward(dlosses, columns_cache).T
    np.testing.assert_allclose(ranking_loss_backward(dlosses, both_cache), expected / 2, rtol=1e-13)


def test_hard_negatives_are_no_part_of_the_other_direction():
    similarities = np.random.default_rng(9).normal(size=(3, 5))
    _, cache = ranking_loss_forward(similarities, None, 3.0, symmetric=True)
    _, one_way = ranking_loss_forward(similarities, None, 3.0, symmetric=False)
    dlosses = np.ones(3)
    found, expected = ranking_loss_backward(dlosses, cache), ranking_loss_backward(dlosses, one_way)
    np.testing.assert_allclose(found[:, 3:], expected[:, 3:] / 2, rtol=1e-14)


def test_a_candidate_left_out_is_as_if_it_were_not_there():
    similarities = np.random.default_rng(10).normal(size=(2, 3))
    left_out = np.array([[False, True, False], [False, False, False]])
    losses, cache = ranking_loss_forward(similarities, left_out, 20.0, symmetric=False)
    without, without_cache = ranking_loss_forward(similarities[:1, [0, 2]], None, 20.0, symmetric=False)
    np.testing.assert_allclose(losses[0], without[0], rtol=1e-14)
    gradient = ranking_loss_backward(np.ones(2), cache)
    assert gradient[0, 1] == 0
    np.testing.assert_allclose(gradient[0, [0, 2]], ranking_loss_backward(np.ones(1), without_cache)[0], rtol=1e-14)


def test_right_answers_are_the_texts_that_form_a_pair_with_the_anchor_anywhere_in_the_batch_and_its_own():
    """Anchors cat, dog, cat, man; positives pet, pet, mew, cat; hard negatives dog, pet, car, fox."""
    cat, dog, man, pet, mew, car, fox = range(7)
    anchors = np.array([cat, dog, cat, man])
    candidates = np.array([pet, pet, mew, cat, dog, pet, car, fox])
    assert right_answers(anchors, candidates).astype(int).tolist() == [
        # pet pet mew cat dog pet car fox
        [0, 1, 1, 1, 0, 1, 0, 0],  # cat: the other pets, the other cat's mew, itself
        [1, 0, 0, 0, 1, 1, 0, 0],  # dog: the other pets, itself
        [1, 1, 0, 1, 0, 1, 0, 0],  # cat: every pet, since the other cat is one; itself
        [0, 0, 0, 0, 0, 0, 0, 0],  # man: nothing but its own
    ]


def test_with_different_texts_only_ones_own_positive_is_a_right_answer():
    assert not right_answers(np.array([0, 1, 2]), np.array([3, 4, 5, 6])).any()
