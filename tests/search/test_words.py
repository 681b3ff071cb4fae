import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.search.catalogue import Catalogue, Filter
from minitransformer.search.words import find_by_words, match_expression, matched_words
from tests.small_shop import products

ALL = Filter("TRUE", [])


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    catalogue = Catalogue(tmp_path_factory.mktemp("words"), create=True)
    catalogue.update(products(), (), keep_others=False)
    return catalogue


def ids(catalogue, query, products=ALL, limit=10):
    hits = find_by_words(catalogue.connection, query, products, limit)
    return [product.id for product in catalogue.products(hits.keys.tolist())]


def test_the_rarer_word_and_the_shorter_name_count_more(catalogue):
    """Only Whole Milk has both words; of knife and bread, knife is the rarer."""
    assert ids(catalogue, "whole milk")[0] == "23"
    assert ids(catalogue, "knife of bread") == ["16", "15"]


def test_words_are_found_in_other_forms_and_without_accents(catalogue):
    assert set(ids(catalogue, "bananá")) == {"8", "15"}
    assert set(ids(catalogue, "BANANAS")) == {"8", "15"}


def test_a_name_counts_more_than_other_columns(tmp_path):
    catalogue = Catalogue(tmp_path, create=True)
    rows = [("1", "Kale", "soup", ""), ("2", "Soup", "kale", ""), ("3", "Leek", "", ""), ("4", "Pea", "", "")]
    catalogue.update(products(rows), (), keep_others=False)
    assert ids(catalogue, "soup") == ["2", "1"]


def test_a_filter_comes_before_the_limit(catalogue):
    sweets = catalogue.filter({"department": "sweets"})
    assert ids(catalogue, "milk", limit=1) != ["4"]
    assert ids(catalogue, "milk", sweets, limit=1) == ["4"]


def test_the_words_that_match_are_shown_as_the_product_has_them(catalogue):
    [key] = find_by_words(catalogue.connection, "knife", ALL, 1).keys.tolist()
    assert matched_words(catalogue.connection, "knives knife breads kitchen", [key]) == {
        key: ["bread", "kitchen", "knife"]
    }
    assert matched_words(catalogue.connection, "?!", [key]) == {}


@pytest.mark.parametrize(
    "query", ['"', "milk AND", "NEAR(milk", "name:milk", "milk*", "-milk ^milk", "'; DROP TABLE products; --", "\0"]
)
def test_the_syntax_of_sql_and_fts_means_nothing(catalogue, query):
    has_milk = "milk" in query
    assert set(ids(catalogue, query)) == ({"17", "4", "23"} if has_milk else set())
    assert len(ids(catalogue, "milk")) == 3  # all is still there


@given(st.text(max_size=40))
def test_any_text_can_be_asked_for(catalogue, query):
    found = find_by_words(catalogue.connection, query, ALL, 3)
    assert len(found.keys) == len(found.scores) <= 3


def test_a_query_of_many_words_is_cut():
    assert match_expression(" ".join(map(str, range(1000)))).count(" OR ") == 63


def test_a_score_worked_by_hand(tmp_path):
    """BM25 with k1 = 1.2 and b = 0.75. One of four products has "kale": idf = ln((4 - 1 + 0.5) / (1 + 0.5)).

    It has it once in its name, which counts twice, and once in its department: f = 2 + 1. It is 3 words long, and the
    mean is 9/4. So the score is idf f (k1 + 1) / (f + k1 (1 - b + b 3 / (9/4))).
    """
    catalogue = Catalogue(tmp_path, create=True)
    rows = [
        ("1", "Kale Soup", "kale", ""),
        ("2", "Soup", "tin", ""),
        ("3", "Leek", "fresh", ""),
        ("4", "Pea", "tin", ""),
    ]
    catalogue.update(products(rows), (), keep_others=False)
    idf = math.log(3.5 / 1.5)
    [score] = find_by_words(catalogue.connection, "kale", ALL, 10).scores
    assert score == pytest.approx(idf * 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 3 / (9 / 4))))
