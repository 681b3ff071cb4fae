import pytest

from minitransformer.corpora.search_log import Event
from minitransformer.errors import UserError
from minitransformer.search.evidence import Pair, gather_evidence


def bought(query, product, *users):
    return [Event(query, product, user, "add_to_cart") for user in users]


def test_conversions_and_users_are_counted_for_each_pair():
    events = [*bought("orange", "navel", "u1", "u2", "u1"), *bought("orange", "banana", "u3")]
    evidence = gather_evidence(events)
    assert [(found.count, found.users) for found in evidence.values()] == [(3, 2), (1, 1)]


def test_queries_are_one_whatever_their_case_accents_and_spaces():
    events = [*bought(" Crème  fraîche", "7", "u1"), *bought("creme fraiche", "7", "u2")]
    assert gather_evidence(events).keys() == {Pair("creme fraiche", "7")}


def test_the_rate_is_the_conversions_by_how_often_the_product_was_shown():
    shown = [Event("orange", "navel", f"u{i}", "impression", position=1) for i in range(4)]
    evidence = gather_evidence([*shown, *bought("orange", "navel", "u1"), *bought("orange", "banana", "u2")])
    assert evidence["orange", "navel"].shown == 4
    assert evidence["orange", "navel"].rate == 0.25
    assert evidence["orange", "banana"].rate == 0  # bought, but not from what the query showed


def test_the_lift_is_high_for_what_is_bought_after_this_query_and_1_for_what_is_bought_after_any():
    """9 conversions: P(navel | orange) = 2/4 and P(navel) = 2/9; P(banana | orange) = 1/4 and P(banana) = 3/9."""
    events = [
        *bought("orange", "navel", "u1", "u2"),
        *bought("orange", "mandarin", "u3"),
        *bought("orange", "banana", "u4"),
        *bought("milk", "whole milk", "u1", "u5", "u6"),
        *bought("milk", "banana", "u2", "u3"),
    ]
    evidence = gather_evidence(events)
    assert evidence["orange", "navel"].lift == pytest.approx(9 / 4)
    assert evidence["orange", "banana"].lift == pytest.approx(3 / 4)


def test_clicks_are_no_conversions_and_other_actions_can_be():
    events = [Event("orange", "navel", "u1", "click"), *bought("orange", "banana", "u1")]
    assert gather_evidence(events).keys() == {Pair("orange", "banana")}
    assert gather_evidence(events, conversions=["click"]).keys() == {Pair("orange", "navel")}


def test_a_log_without_conversions_is_refused_with_the_actions_it_has():
    events = [Event("orange", "navel", user, "click") for user in ("u1", "u2")]
    with pytest.raises(UserError, match=r"no conversions; expected the action add_to_cart .*, found: 'click' \(2\)"):
        gather_evidence(events)
