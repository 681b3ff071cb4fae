import numpy as np
import pytest

from minitransformer.inference.completion.personal_ngrams import PersonalNgrams


def test_bigrams_by_hand():
    """0 1 0 2 0 1 of 4 tokens.

    Unigrams: 0, 1 and 2 occur 3, 2 and 1 times, 3 different ones of 6: P_1(t) = (N(t) + 3/4) / 9.
    After 0 came 1, 2, 1: two different ones of three, P_2(t | 0) = (N(0 t) + 2 P_1(t)) / 5.
    """
    ngrams = PersonalNgrams([[0, 1, 0, 2, 0, 1]], vocab_size=4, order=2)
    p_1 = np.array([3.75, 2.75, 1.75, 0.75]) / 9
    np.testing.assert_allclose(ngrams.probabilities([]), p_1)
    np.testing.assert_allclose(ngrams.probabilities([3, 0]), (np.array([0, 2, 1, 0]) + 2 * p_1) / 5)
    np.testing.assert_allclose(ngrams.probabilities([3]), p_1)  # 3 was never seen


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_add_up_to_1_and_none_is_0(order):
    rng = np.random.default_rng(0)
    ngrams = PersonalNgrams([rng.integers(0, 9, 50).tolist() for _ in range(4)], vocab_size=11, order=order)
    for context in ([], [3], [3, 1], [3, 1, 4, 1], [10, 10]):
        p = ngrams.probabilities(context)
        assert p.sum() == pytest.approx(1)
        assert p.min() > 0


def test_nothing_written_yet_is_no_opinion():
    np.testing.assert_allclose(PersonalNgrams([], vocab_size=5).probabilities([1, 2]), 0.2)
