import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.search.completions import Completions

TEXTS = ["milk", "vanilla ice cream", "chocolate", "ice cream", "milk chocolate", "ice", "avocado oil", "avocado"]
COMPLETIONS = Completions(TEXTS)


def found(typed, limit=9, completions=COMPLETIONS):
    return [completions.texts[completion.place] for completion in completions.find(typed, limit)]


def corrected(typed):
    return {COMPLETIONS.texts[place]: correction for place, correction in COMPLETIONS.find(typed, 9)}


def test_texts_that_begin_so_come_before_those_with_a_word_that_does():
    """Though vanilla ice cream is the most popular of the three."""
    assert found("ice") == ["ice cream", "ice", "vanilla ice cream"]
    assert found("ice c") == ["ice cream", "vanilla ice cream"]


def test_the_more_popular_come_first():
    assert found("milk") == ["milk", "milk chocolate"]
    assert found("") == TEXTS


def test_a_space_ends_a_word():
    assert found("ice ") == ["ice cream", "vanilla ice cream"]
    assert found("ic ") == []


def test_case_accents_and_spaces_make_no_difference():
    assert found("  ÍCE   C") == found("ice c")


def test_a_text_that_matches_twice_is_there_once():
    completions = Completions(["tea tree tea", "tea"])
    assert found("tea", completions=completions) == ["tea tree tea", "tea"]
    assert found("tea", limit=1, completions=completions) == ["tea tree tea"]


def test_errors_are_corrected_and_the_correction_is_said():
    assert corrected("avacado") == {"avocado oil": "avocado", "avocado": "avocado"}
    assert corrected("choclate") == {"chocolate": "chocolate", "milk chocolate": "chocolate"}
    assert corrected("mikl choc") == {"milk chocolate": "milk choc"}
    assert corrected("vanila ice") == {"vanilla ice cream": "vanilla ice"}


def test_the_beginning_of_a_misspelt_word_is_enough():
    assert corrected("avaca").keys() == {"avocado oil", "avocado"}


def test_what_matches_exactly_is_never_displaced():
    completions = Completions(["milk", "mile", "mild soap"])
    assert found("milk", completions=completions)[0] == "milk"
    assert found("mil", completions=completions) == ["milk", "mile", "mild soap"]


@pytest.mark.parametrize("typed", ["xqzw", "\U0010ffff", "\0", "a" * 5000, "b " * 500])
def test_what_nobody_means_finds_nothing(typed):
    assert found(typed) == []


def test_an_empty_shop_has_nothing_to_suggest():
    assert Completions([]).find("milk", 5) == []
    assert Completions([]).find("", 5) == []


@given(st.lists(st.from_regex("[ab]{1,3}( [ab]{1,2})?", fullmatch=True), unique=True), st.text("ab ", max_size=3))
def test_the_first_ones_are_those_of_any_longer_list(texts, typed):
    completions = Completions(texts)
    everything = completions.find(typed, 100)
    for limit in range(1, 4):
        assert completions.find(typed, limit) == everything[:limit]
