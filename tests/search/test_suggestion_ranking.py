import json

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.search.shown_lists import ShownList
from minitransformer.search.suggestion_ranking import (
    RankedTexts,
    Regression,
    SuggestionRanking,
    TextCounts,
    count_lists,
)
from minitransformer.search.suggestions import SHOW_ALL, Suggestions

TEXTS, POPULARITY = ("mild soap", "almond milk", "milk", "mill"), (0.4, 0.3, 0.2, 0.1)


def ranking(picking=(1.0, 0.0, 0.0, 0.0, 0.0), buying=(0.0, 0.0, 0.0), **counts):
    regressions = Regression(np.array(picking), 0.0), Regression(np.array(buying), 0.0)
    return SuggestionRanking(*regressions, {text.replace("_", " "): of for text, of in counts.items()})


def suggested(typed, ranking=None):
    ranked = RankedTexts(ranking, TEXTS, POPULARITY) if ranking else None
    shop = Suggestions(TEXTS, POPULARITY, np.full(4, -1), np.zeros((0, 2)), lambda text, embedding: set(), ranked)
    return [suggestion.text for suggestion in shop.find(typed, 10, SHOW_ALL)]


def test_what_was_picked_and_skipped_is_counted_by_the_place_in_the_list():
    lists = [ShownList("m", ("a", "b", "c"), "b"), ShownList("m", ("a",), None)]
    assert count_lists(lists, {"a": TextCounts(searches=7)}) == {
        "a": TextCounts(shown=2, skipped=1, searches=7),
        "b": TextCounts(shown=1, picked=1),
        "c": TextCounts(shown=1),
    }


def test_a_probability_worked_by_hand():
    """Two texts share 3 : 1, so the shares' logarithms are log(3/4) and log(1/4), and p(picked) = share / (1 + share).

    All 40 searches for the second ended in the cart, of all 80 half did: log((40 + 10) / (40 + 20) / 0.5) = log(5/3),
    so with the weight 1, p(cart) = 5/3 / (1 + 5/3) = 5/8. Of the first nobody searched: log 1, so 1/2.
    """
    counts = {"b": TextCounts(searches=40, converted=40), "elsewhere": TextCounts(searches=40)}
    learnt = ranking(buying=(1.0, 0.0, 0.0))._replace(counts=counts)
    texts = RankedTexts(learnt, ("a", "b", "elsewhere"), (0.3, 0.1, 0.6))
    found = np.exp(texts.log_probabilities([0, 1], [True, True], [False, False]))
    assert found == pytest.approx([3 / 7 * 1 / 2, 1 / 5 * 5 / 8])


def test_without_a_ranking_the_more_popular_come_first_and_with_one_the_likelier():
    assert suggested("mil") == ["mild soap", "milk", "mill", "almond milk"]
    assert suggested("mil", ranking()) == ["mild soap", "almond milk", "milk", "mill"]  # by popularity alone
    assert suggested("mil", ranking((1, 2, 0, 0, 0))) == ["mild soap", "milk", "mill", "almond milk"]


def test_a_query_that_was_counted_0_times_comes_last():
    texts = RankedTexts(ranking(), ("milk", "mint"), (0.0, 0.3))
    likely = texts.log_probabilities([0, 1], [True, True], [False, False])
    assert -np.inf < likely[0] < likely[1]
    assert np.isfinite(RankedTexts(ranking(), ("milk",), (0.0,)).log_probabilities([0], [True], [False])).all()


def test_what_is_picked_moves_up_what_is_skipped_down_and_what_is_bought_up():
    often = TextCounts(shown=100, picked=90)
    assert suggested("mil", ranking((1, 1, 0, 4, 0), mill=often, milk=TextCounts(shown=100)))[0] == "mill"
    skipped = TextCounts(shown=100, skipped=90)
    assert suggested("mil", ranking((1, 1, 0, 0, -9), mild_soap=skipped, milk=TextCounts(shown=100)))[-1] == "mild soap"
    bought = TextCounts(searches=100, converted=90)
    learnt = ranking((1, 1, 0, 0, 0), (2, 0, 0), milk=bought, mild_soap=TextCounts(searches=100))
    assert suggested("mil", learnt)[0] == "milk"


def test_what_matches_exactly_is_never_displaced_by_a_correction():
    """ "mill" begins no other text, and "milk" is near it: even if corrections were always right."""
    assert suggested("mill", ranking((0, 0, 9, 0, 0)))[0] == "mill"


def test_a_ranking_is_written_and_read(tmp_path):
    assert SuggestionRanking.read(tmp_path) is None
    written = ranking((1, 2, 3, 4, 5), (6, 7, 8), milk=TextCounts(1, 2, 3, 4, 5, 6, 0))
    written.write(tmp_path)
    read = SuggestionRanking.read(tmp_path)
    assert read.counts == written.counts
    assert read.picking.weights.tolist() == [1, 2, 3, 4, 5]
    assert read.buying.weights.tolist() == [6, 7, 8]


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"picking": {}}, {"counts": {"milk": [1]}}, {"counts": {"milk": ["x"] * 7}}, {"buying": 3}],
)
def test_a_broken_ranking_is_one_line(tmp_path, change):
    ranking().write(tmp_path)
    file = tmp_path / "suggestions.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(UserError, match="isn't what train-suggest of this version writes"):
        SuggestionRanking.read(tmp_path)
