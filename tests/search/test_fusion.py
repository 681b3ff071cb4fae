import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.search.fusion import fuse
from minitransformer.search.ranking import NO_CATEGORY, rank

scores = st.lists(st.tuples(st.floats(0.25, 1, width=16), st.sampled_from([0, 0, 1, 2.5, 7])), min_size=2, max_size=12)
categories = st.integers(NO_CATEGORY, 2)


def places(cosines, words, kinds=None, meaning=0.7):
    kinds = np.full(len(cosines), NO_CATEGORY) if kinds is None else np.array(kinds)
    return rank(np.array(cosines), np.array(words, float), kinds, meaning)[0].tolist()


def test_a_score_worked_by_hand():
    """0.7 x 0.5 + 0.3 x 4/4 = 0.65; 0.7 x 0.8 + 0.3 x 1/4 = 0.635; and without words 0.7 x 0.9 = 0.63."""
    found = fuse(np.array([0.5, 0.8, 0.9]), np.array([4.0, 1.0, 0.0]), meaning=0.7)
    np.testing.assert_allclose(found, [0.65, 0.635, 0.63])


def test_without_any_word_only_meaning_counts():
    np.testing.assert_allclose(fuse(np.array([0.5, 0.8]), np.zeros(2), meaning=0.7), [0.35, 0.56])


@given(scores, st.data(), st.floats(0.1, 0.9))
def test_a_product_that_becomes_better_never_moves_down(products, data, meaning):
    cosines, words = (np.array(column, float) for column in zip(*products, strict=True))
    kinds = np.array(data.draw(st.lists(categories, min_size=len(words), max_size=len(words))))
    place = data.draw(st.integers(0, len(words) - 1))
    better_cosines, better_words = cosines.copy(), words.copy()
    if data.draw(st.booleans()):
        better_cosines[place] += data.draw(st.floats(0.01, 1))
    else:
        better_words[place] += data.draw(st.floats(0.01, 9))
    before, after = places(cosines, words, kinds, meaning), places(better_cosines, better_words, kinds, meaning)
    if place in before:
        assert place in after
        overtaken = set(before[before.index(place) :]) - {place}
        assert not overtaken & set(after[: after.index(place)])


@given(scores)
def test_products_without_a_word_keep_the_order_of_their_cosines(products):
    cosines, words = zip(*products, strict=True)
    found = [cosines[place] for place in places(cosines, words) if not words[place]]
    assert found == sorted(found, reverse=True)


def test_without_a_word_of_the_query_a_product_must_be_near_it():
    assert places([0.19, 0.21, 0.1], [0, 0, 3]) == [2, 1]


def test_a_product_of_another_kind_needs_a_word_of_the_query(monkeypatch):
    monkeypatch.setattr("minitransformer.search.ranking.TOP_OF_CATEGORIES", 2)
    cosines, kinds = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 2, NO_CATEGORY, 2]
    assert places(cosines, [0, 0, 0, 0, 0], kinds) == [0, 1, 3]
    assert places(cosines, [0, 0, 0, 0, 1], kinds) == [4, 0, 1, 2, 3]  # the best two are now of both kinds


@pytest.mark.parametrize("meaning", [0, 1])
def test_words_alone_or_meaning_alone(meaning):
    cosines, words = np.array([0.9, 0.5, 0.6]), np.array([0, 2.0, 1.0])
    kinds = np.full(3, NO_CATEGORY)
    if meaning:
        assert rank(cosines, np.zeros(3), kinds, 1.0)[0].tolist() == [0, 2, 1]
    else:
        assert rank(None, words, kinds, 0.0)[0].tolist() == [1, 2]


def test_candidates_are_the_best_of_each_list(monkeypatch):
    monkeypatch.setattr("minitransformer.search.ranking.CANDIDATES", 2)
    assert places([0.9, 0.8, 0.7, 0.3], [0, 0, 0, 1]) == [0, 1, 3]
