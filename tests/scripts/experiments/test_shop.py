"""The tables about a shop's search, from a small shop."""

import numpy as np
import pytest
from click.testing import CliRunner

from scripts.experiments import shop
from tests.small_shop import make_shop, products_table
from tests.small_tables import write_table


def printed(*arguments):
    result = CliRunner().invoke(shop.main, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output.splitlines()


def test_rankings_stand_beside_bm25s(tmp_path, monkeypatch):
    pytest.importorskip("bm25s", reason="needs bm25s, of the extra `parity`")
    shop_folder = make_shop(tmp_path / "shop")
    monkeypatch.setattr(shop, "RECALL_AT", 5)  # bm25s gives no more than there are
    judgments = write_table(
        tmp_path / "j.tsv", ("query", "product_id", "gain"), [("milk", "23", 1), ("bread", "15", 1)]
    )
    lines = printed("search", shop_folder, judgments)
    assert lines[0].endswith(", 2 queries, 7 products")
    names = [line.split(" | ")[0].strip("| ") for line in lines[4:]]
    assert names == ["words and meaning", "words", "meaning", "random", "ideal", "bm25s, all columns"]


def test_a_weight_is_measured_on_queries_that_it_wasnt_chosen_on():
    """Of ten queries in each shop, nine have the best NDCG with the first weight, and one with the second."""
    of_weights = np.zeros((len(shop.WEIGHTS), 10))
    of_weights[0], of_weights[1, 3], of_weights[0, 3] = 0.5, 1, 0
    [first, second] = shop.chosen_rows({"a": (of_weights, np.zeros(10)), "b": (of_weights, np.ones(10))})
    assert first[:4] == ["a", "0.0", "10", "0.450"]
    assert first[4].startswith("+0.000 (")
    assert second[5].startswith("-0.550 (")


def test_suggestions_stand_beside_the_beginnings_by_popularity(tmp_path):
    recipes = [(number, "milk|bread" if number % 2 else "bananas") for number in range(20)]
    table = write_table(tmp_path / "recipes.tsv", ("recipe_id", "ingredients"), recipes)
    lines = printed("suggest", table, products_table(tmp_path / "products.tsv"))
    assert lines[0].endswith(" texts")
    assert [line.split(" | ")[0] for line in lines[4:]] == [
        "| suggestions",
        "| past queries that begin so, by popularity",
        "| the same, if their later popularity were known",
    ]


@pytest.mark.filterwarnings("ignore:the weights are mostly chance")
def test_what_was_learnt_stands_beside_popularity(tmp_path):
    """In each third week of a log half of those who want milk take some; nobody takes bread."""
    columns = ("query", "product_id", "user", "action", "time")
    days = [f"2026-01-{day:02}" for day in range(1, 29)]
    events = [("milk", 17, f"u{i}", "purchase" if i % 2 else "click", days[i % 28]) for i in range(200)]
    events += [("banana bread", 15, f"v{i}", "click", days[i % 28]) for i in range(300)]
    log = write_table(tmp_path / "log.tsv", columns, events)
    lines = printed("learnt", make_shop(tmp_path / "shop"), log)
    assert "searches to learn from" in lines[0]
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| popularity", "| p(picked)", "| p(picked) p(cart)"]


def test_the_labelled_pairs_are_pairs_and_each_is_there_once(tmp_path):
    pairs = [pair for kinds in (shop.DUPLICATES, shop.OTHERS) for kind in kinds.values() for pair in kind]
    assert all(len(pair.split("|")) == 2 for pair in pairs)
    assert len({frozenset(pair.split("|")) for pair in pairs}) == len(pairs)
    lines = printed("duplicates", make_shop(tmp_path / "shop"))
    assert lines[0].startswith("27 pairs with one meaning and 27 with two; area under the curve ")
    assert len(lines) == 4 + len(shop.THRESHOLDS)
