import numpy as np
import pytest

from minitransformer.search.suggestions import Hidden, Suggestions
from minitransformer.search.terms import name_phrases, suggested_texts

TEXTS = ("mac and cheese", "macaroni", "mac cheese", "mac")
MATRIX = np.array([[1, 0], [0, 1], [0.96, 0.28], [0.6, 0.8]], np.float32)


def texts(suggestions):
    return [suggestion.text for suggestion in suggestions]


def finds_nothing(text, embedding):
    return frozenset()


def suggestions(rows=(0, 1, 2, 3), find=finds_nothing):
    return Suggestions(TEXTS, (0.4, 0.3, 0.2, 0.1), np.array(rows), MATRIX, find)


def test_what_means_the_same_as_one_above_it_is_hidden_and_can_be_asked_for():
    """The cosines with "mac and cheese" are 0, 0.96 and 0.6."""
    first, *others = suggestions().find("mac", 10, same_meaning=0.9)
    assert first.text == "mac and cheese"
    assert first.hides == [Hidden("mac cheese", pytest.approx(0.96))]
    assert [other.text for other in others] == ["macaroni", "mac"]
    assert all(not other.hides for other in others)


def test_hidden_ones_leave_their_places_to_those_below():
    assert texts(suggestions().find("mac", 3, same_meaning=0.9)) == ["mac and cheese", "macaroni", "mac"]
    assert texts(suggestions().find("mac", 3, same_meaning=2)) == list(TEXTS[:3])


def test_a_text_without_embedding_hides_nothing_and_isnt_hidden():
    assert len(suggestions(rows=(0, 1, -1, -1)).find("mac", 10, same_meaning=0.5)) == 4


def test_what_is_hidden_may_have_to_find_the_same_products_too():
    """ "mac and cheese" finds 1, 2, 3 and 4, of which "mac cheese" (cosine 0.96) finds two, "mac" (0.6) all."""
    products = {"mac and cheese": {1, 2, 3, 4}, "mac cheese": {1, 2, 7, 8}, "mac": {1, 2, 3, 4}, "macaroni": {1}}
    asked = []
    shop = suggestions(find=lambda text, embedding: asked.append(text) or products[text])
    [first, *_] = shop.find("mac", 10, same_meaning=0.9, same_results=0.5)
    assert first.hides == [Hidden("mac cheese", pytest.approx(0.96), 0.5)]
    assert texts(shop.find("mac", 10, same_meaning=0.9, same_results=0.6)) == list(TEXTS)
    assert sorted(asked) == ["mac and cheese", "mac cheese"]  # only where the cosine is reached, and once


def test_a_text_without_embedding_finds_no_products_to_have_in_common():
    assert len(suggestions(rows=(0, 1, -1, -1)).find("mac", 10, same_meaning=-1, same_results=0.1)) == 4


def test_a_hidden_one_hides_nothing():
    """The angles are 0, 20 and 40 degrees and the threshold 30: the third is near only to the hidden second."""
    angles = np.radians([0, 20, 40])
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = Suggestions(["a", "ab", "abc"], [3, 2, 1], np.arange(3), matrix, finds_nothing)
    found = found.find("a", 10, np.cos(np.radians(30)))
    assert texts(found) == ["a", "abc"]


def test_phrases_that_are_parts_of_longer_ones_or_begin_with_a_small_word_are_left_out():
    names = [f"Boneless Skinless {part} of Chicken, 12 oz" for part in ("Breast", "Thigh")]
    names.append("Chicken Stock with Sage")
    assert name_phrases(names) == {"boneless skinless": 2, "chicken": 3, "chicken stock with sage": 1}


def test_the_popularity_of_a_text_is_a_share_of_searches():
    """The names count as 100 searches, half of them for "kale"; so all are 1000."""
    found = suggested_texts(["Kale", "Leek"], {"Kale": 300, " PEAS ": 600})
    assert found == pytest.approx({"kale": (300 + 50) / 1000, "peas": 0.6, "leek": 50 / 1000})


def test_blocked_words_are_never_suggested():
    found = suggested_texts(["Whole Milk", "Milkshake", "Oat Milk"], {"milk": 4}, blocked=["MILK", ""])
    assert found.keys() == {"milkshake"}


def test_a_misspelt_query_isnt_suggested_but_a_rare_word_and_a_word_of_a_product_are():
    """One letter lies between "brocoli" and "broccoli", and between "beet" and "beer", which 100 times as many want."""
    queries = {"broccoli": 100, "brocoli": 3, "beer": 300, "beet": 3, "nori": 1, "broccolini": 20}
    found = suggested_texts(["Red Beet", "Broccoli", "Beer"], queries)
    assert queries.keys() - found.keys() == {"brocoli"}
