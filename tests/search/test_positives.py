"""The lecture's slide: what people put into the cart after "orange", from navel oranges to bananas."""

from collections import Counter

import pytest

from minitransformer.corpora.search_log import Event
from minitransformer.errors import UserError
from minitransformer.search.evidence import Evidence, Pair, gather_evidence
from minitransformer.search.positives import (
    Selection,
    at_least,
    keep_best,
    repeat_best,
    select_positives,
    shares_of_queries,
)
from minitransformer.search.product_table import Product

NAMES = ("Navel Oranges", "Clementines", "Mandarins", "Bananas")
PRODUCTS = [Product(name, name, {"product_id": name, "name": name, "aisle": "fresh fruits"}) for name in NAMES]
ORANGE = {"Navel Oranges": 6, "Bananas": 4, "Clementines": 3, "Mandarins": 1}  # conversions, each by another user
BANANA = {"Bananas": 16}


def events(**queries):
    return [
        Event(query, product, f"u{user}", "add_to_cart")
        for query, products in queries.items()
        for product, count in products.items()
        for user in range(count)
    ]


LOG = events(orange=ORANGE, banana=BANANA)


def products_of(query, pairs):
    return [pair.product_id for pair in pairs if pair.query == query]


def evidence_of(**queries):
    return {
        Pair(query, product): Evidence(count, count, shown=0, lift=0.0)
        for query, products in queries.items()
        for product, count in products.items()
    }


def test_without_rules_every_pair_with_a_conversion_is_a_positive_once():
    pairs = select_positives(LOG, PRODUCTS).pairs
    assert products_of("orange", pairs) == [*ORANGE]
    assert products_of("banana", pairs) == ["Bananas"]


def test_what_one_user_takes_again_and_again_is_no_positive_for_two():
    habit = [Event("orange", "Mandarins", "u1", "add_to_cart")] * 20
    found = at_least(gather_evidence([*LOG, *habit]), "users", 3)
    assert products_of("orange", found) == ["Navel Oranges", "Bananas", "Clementines"]


def test_the_best_by_count_are_the_oranges_and_the_bananas():
    pairs = select_positives(LOG, PRODUCTS, Selection(keep_top=0.5)).pairs
    assert products_of("orange", pairs) == ["Navel Oranges", "Bananas"]


def test_the_best_by_lift_are_the_oranges():
    """P(banana | orange) = 4/14 is below P(banana) = 20/30."""
    pairs = select_positives(LOG, PRODUCTS, Selection(keep_top=0.75, measure="lift")).pairs
    assert products_of("orange", pairs) == ["Navel Oranges", "Clementines", "Mandarins"]


def test_the_best_by_rate_are_those_that_are_taken_when_they_are_shown():
    shown = [
        Event("orange", name, "u", "impression")
        for name, times in zip(NAMES, (60, 6, 4, 400), strict=True)
        for _ in range(times)
    ]
    pairs = select_positives([*shown, *LOG], PRODUCTS, Selection(keep_top=0.5, measure="rate")).pairs
    assert products_of("orange", pairs) == ["Clementines", "Mandarins"]  # 3/6 and 1/4; 6/60 and 4/400


def test_a_least_lift_leaves_out_what_is_bought_along_with_everything():
    pairs = select_positives(LOG, PRODUCTS, Selection(min_lift=1.0)).pairs
    assert products_of("orange", pairs) == ["Navel Oranges", "Clementines", "Mandarins"]


def test_what_the_search_has_not_shown_often_enough_can_be_left_out():
    shown = [Event("orange", name, f"u{i}", "impression") for name in ("Navel Oranges", "Mandarins") for i in range(5)]
    found = select_positives([*shown, *shown[:5], *LOG], PRODUCTS, Selection(min_shown=6))
    assert products_of("orange", found.pairs) == ["Navel Oranges"]
    assert "shown at least 6 times: 1 of 5 pairs kept (20.0%), 4 thrown away" in str(found.report)


def test_a_share_is_rounded_down_so_a_single_product_is_no_half():
    evidence = evidence_of(kale={"Kale": 3}, tea={f"Tea {i}": 9 - i for i in range(5)})
    found = keep_best(evidence, {"kale": 0.5, "tea": 0.5}, "count")
    assert products_of("kale", found) == []
    assert products_of("tea", found) == ["Tea 0", "Tea 1"]
    hundred = evidence_of(tea={f"Tea {i}": 1 for i in range(100)})
    assert len(keep_best(hundred, {"tea": 0.29}, "count")) == 29


def test_algorithm_1_repeats_the_best_half_of_the_best_half():
    """Of 8 products: all 8, then 4, 2 and 1 of them. With k = 1/2 at first: 4, 2 and 1."""
    evidence = evidence_of(tea={f"Tea {i}": 10 - i for i in range(8)}, kale={"Kale": 1})
    times = Counter(repeat_best(evidence, {"tea": 1, "kale": 1}, "count"))
    assert [times["tea", f"Tea {i}"] for i in range(8)] == [4, 3, 2, 2, 1, 1, 1, 1]
    assert times["kale", "Kale"] == 1
    halves = Counter(repeat_best(evidence, {"tea": 0.5, "kale": 0.5}, "count"))
    assert [halves["tea", f"Tea {i}"] for i in range(8)] == [3, 2, 1, 1, 0, 0, 0, 0]


def test_frequent_queries_keep_a_smaller_share_than_rare_ones():
    evidence = evidence_of(rare={"a": 1}, between={"a": 10}, frequent={"a": 60, "b": 40})
    shares = shares_of_queries(evidence, 1.0, 0.2)
    assert shares == pytest.approx({"rare": 1.0, "between": 0.6, "frequent": 0.2})
    assert set(shares_of_queries(evidence, 0.7).values()) == {0.7}


def test_synthetic_queries_come_on_top_and_keep_to_their_share():
    selection = Selection(synthetic_share=0.2, synthetic_columns=("aisle",))
    found = select_positives(LOG, PRODUCTS, selection)
    assert len(found.pairs) == 6  # 5 and a fifth of all
    assert found.pairs[-1].query == "fresh fruits"
    assert found.report.num_synthetic == 1
    assert found.pairs == select_positives(LOG, PRODUCTS, selection).pairs


def test_the_report_says_what_was_kept_and_thrown_away():
    selection = Selection(min_users=2, keep_top=0.5, keep_top_of_frequent=1.0)
    assert str(select_positives(LOG, PRODUCTS, selection).report) == (
        "30 events, among them 30 conversions of 5 pairs of 2 queries and 4 products\n"
        "converted by at least 2 users: 4 of 5 pairs kept (80.0%), 1 thrown away\n"
        '  kept: "banana": Bananas, "orange": Navel Oranges, "orange": Bananas, "orange": Clementines\n'
        '  thrown away: "orange": Mandarins\n'
        "the best of a query by count: 2 of 4 pairs kept (50.0%), 2 thrown away\n"
        '  kept: "banana": Bananas, "orange": Navel Oranges\n'
        '  thrown away: "orange": Bananas, "orange": Clementines\n'
        "2 positives"
    )


def test_the_report_says_from_when_the_log_is():
    log = [event._replace(time=f"2026-11-{day:02}T09:30:00") for day, event in enumerate(LOG, 1)]
    assert "30 events from 2026-11-01T09:30:00 to 2026-11-30T09:30:00" in str(select_positives(log, PRODUCTS).report)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(min_users=99),
            r"no pair of the log is left as a positive; select less strictly \(30 events, .*; "
            r"converted by at least 99 users: 0 of \d+ pairs kept \(0.0%\), \d+ thrown away\)$",
        ),
        (Selection(min_users=0), "min_users is 0; expected 1 or more"),
        (Selection(keep_top=0), "keep_top is 0; expected a share above 0, and at most 1"),
        (Selection(keep_top_of_frequent=50), "keep_top_of_frequent is 50; expected a share"),
        (Selection(measure="love"), "the measure 'love' is none of count, rate, lift"),
        (Selection(synthetic_share=1), "synthetic_share is 1; expected a share from 0 to below 1"),
        (Selection(synthetic_share=0.1), "synthetic queries need synthetic_columns"),
        (
            Selection(synthetic_share=0.1, synthetic_columns=("brand",)),
            "no product has the column 'brand' to make queries from; there are: product_id, name, aisle",
        ),
    ],
)
def test_a_selection_that_cannot_be_made_says_why(selection, message):
    with pytest.raises(UserError, match=message):
        select_positives(LOG, PRODUCTS, selection)
