import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.search.edit_distance import LETTERS, WordList, distances

words = st.text("abc", max_size=7)


def distance_by_definition(a, b):
    """D[len(a), len(b)], letter by letter."""
    if not a or not b:
        return len(a) + len(b)
    choices = [
        distance_by_definition(a[:-1], b) + 1,
        distance_by_definition(a, b[:-1]) + 1,
        distance_by_definition(a[:-1], b[:-1]) + (a[-1] != b[-1]),
    ]
    if a[-2:] == b[-2:][::-1] and len(a) > 1 and len(b) > 1:
        choices.append(distance_by_definition(a[:-2], b[:-2]) + 1)
    return min(choices)


@given(st.text("abc", max_size=5), st.lists(st.text("abc", max_size=5), min_size=1, max_size=4))
def test_the_distance_to_each_beginning_of_each_word_is_the_definitions(typed, others):
    found = distances(typed, WordList(others)._letters)
    for row, word in zip(found, others, strict=True):
        expected = [distance_by_definition(typed, word[:length]) for length in range(len(word) + 1)]
        assert row[: len(word) + 1].tolist() == expected


@pytest.mark.parametrize(("typed", "word"), [("brocoli", "broccoli"), ("mikl", "milk"), ("bananna", "banana")])
def test_what_people_type_is_found(typed, word):
    assert WordList(["butter", "milk", "broccoli", "banana"]).nearest(typed, 3) == [word]


def test_the_beginning_of_a_word_is_found():
    known = WordList(["strawberry", "straw", "sugar"])
    assert known.nearest("stawb", 3) == []
    assert known.nearest_beginnings("stawb", 3) == ["strawberry"]


def test_the_nearest_come_first_and_of_those_the_more_popular():
    assert WordList(["coconut", "coconuts", "cocoanuts"]).nearest("cocconut", 2) == ["coconut", "coconuts"]


def test_short_words_are_not_corrected():
    """Else "mug" would find "80g"."""
    assert WordList(["80g", "mud"]).nearest("mug", 3) == []


@given(words, st.lists(words, min_size=1, max_size=5))
def test_looking_at_few_words_loses_none(typed, others):
    known = WordList(others)
    allowed = (len(typed) >= 4) + (len(typed) >= 8)
    near = [word for word in others if allowed and distances(typed, WordList([word])._letters)[0, len(word)] <= allowed]
    assert sorted(known.nearest(typed, 9)) == sorted(near)


def test_endless_words_and_empty_lists_do_no_harm():
    assert WordList([]).nearest("banana", 3) == []
    assert WordList(["banana", "b" * 1000]).nearest("x" * 10_000, 3) == []
    assert WordList(["b" * 1000])._lengths.tolist() == np.full(1, LETTERS).tolist()
