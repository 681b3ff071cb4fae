"""index, search and suggest, from a table to what is found."""

import json
import re

import pytest

from minitransformer.search.product_index import ProductIndex
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_shop import HEADER, ROWS, make_shop, products_table, shop_encoder
from tests.small_tables import write_table


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shops") / "shop", queries={"milk": 5, "banana bread": 2})


@pytest.fixture(scope="module")
def shop_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "encoder"
    shop_encoder().save_pretrained(folder)
    return folder


def test_a_table_becomes_an_index_that_is_kept_up_to_date(run, tmp_path, shop_model):
    table, shop = products_table(tmp_path / "products.tsv"), tmp_path / "shop"
    result = run("index", table, "--model", shop_model, "--out", shop, "--category", "department", "--embed", "price")
    assert (result.status, result.error) == (0, "")
    assert result.output == f"{shop}: 7 added, 0 changed, 0 unchanged, 0 deleted\n"
    products_table(table, ROWS[1:])
    assert run("index", table, "--out", shop, "--embed", "price").output.endswith("6 unchanged, 1 deleted\n")
    assert run("index", table, "--out", shop).output.endswith("0 changed, 6 unchanged, 0 deleted\n")
    assert run("search", shop, "chocolate milk").output.splitlines()[1].split()[1] == "4"


def test_hits_are_a_table_for_people(run, shop):
    lines = run("search", shop, "chocolate milk", "--top", 2).output.splitlines()
    assert lines[0].split() == ["score", "id", "name"]
    assert lines[1].split()[1:] == ["17", "Chocolate", "Milk"]
    assert len(lines) == 3


def test_a_name_cant_change_the_terminal(run, tmp_path):
    shop = make_shop(tmp_path / "shop", [("1", "Mi\x1b[31mlk", "dairy", "1")])
    assert run("search", shop, "31mlk").output.splitlines()[1].endswith("Mi?[31mlk")


def test_an_explanation_has_cosine_and_words_with_their_ranks(run, shop):
    lines = run("search", shop, "chocolate milk", "--explain").output.splitlines()
    assert lines[0].split() == ["score", "id", "name", "cosine", "rank", "words", "rank", "which"]
    assert lines[1].endswith("chocolate milk")


def test_hits_as_json(run, shop):
    printed = json.loads(run("search", shop, "milk", "--where", "department=dairy", "--json").output)
    assert printed["query"] == "milk"
    first = printed["hits"][0]
    assert first.keys() == {"id", "score", "name", "fields"}
    assert first["fields"]["department"] == "dairy"
    explained = json.loads(run("search", shop, "milk", "--json", "--explain").output)["hits"][0]
    assert {"cosine", "cosine_rank", "word_score", "word_rank", "words"} < explained.keys()


def test_conditions_on_one_column_are_alternatives_and_on_several_all_must_hold(run, shop):
    def ids(*conditions):
        arguments = [word for condition in conditions for word in ("--where", condition)]
        return {hit["id"] for hit in json.loads(run("search", shop, "milk", *arguments, "--json").output)["hits"]}

    assert {"17", "4"} <= ids("department=dairy", "department=sweets")
    assert ids("department=dairy", "price=1.10") == {"23"}


def test_nothing_found_is_said_on_the_error_stream(run, shop):
    result = run("search", shop, "milk", "--where", "department=toys")
    assert (result.status, result.output, result.error) == (0, "", "nothing was found\n")
    result = run("suggest", shop, "zzz")
    assert (result.status, result.output, result.error) == (0, "", "nothing was found\n")


def test_suggestions_line_by_line_with_corrections(run, shop):
    assert run("suggest", shop, "ba", "--top", 1).output == "banana bread\n"
    assert "milk  (for 'milk')" in run("suggest", shop, "mikl").output


def test_suggestions_as_json(run, shop):
    printed = json.loads(run("suggest", shop, "mil", "--json").output)
    assert printed["prefix"] == "mil"
    assert printed["suggestions"][0]["text"] == "milk"
    assert printed["suggestions"][0].keys() == {"text", "popularity", "correction", "hides"}


def test_suggestions_that_mean_the_same_are_shown_once_and_named_if_asked_for(run, tmp_path):
    shop = make_shop(tmp_path / "shop", queries={"milk": 5, "milk chocolate": 2})
    hide_all = ["--same-meaning", -1]  # which all cosines reach
    lines = run("suggest", shop, "milk", "--explain", *hide_all).output.splitlines()
    assert lines[0] == "milk"
    assert any(line.startswith("  hides milk chocolate, cosine ") for line in lines[1:])
    assert run("suggest", shop, "milk", *hide_all).output == "milk\n"
    assert "milk chocolate" in run("suggest", shop, "milk", "--all").output.splitlines()
    explained = run("suggest", shop, "milk", "--explain", *hide_all, "--same-results", 0.1).output
    assert re.search(r"  hides milk chocolate, cosine -?0\.\d{3}, \d+% of the products\n", explained)


def test_deduplication_is_measured_on_labelled_pairs(run, tmp_path, shop):
    rows = [("milk", "whole milk", "yes"), ("bread", "banana bread", "yes"), ("milk", "bread", "no")]
    pairs = write_table(tmp_path / "pairs.tsv", ("first", "second", "same"), [*rows, ("milk", "fruit", "no")])
    lines = run("evaluate", "duplicates", shop, pairs, "--explain").output.splitlines()
    assert lines[0].startswith("2 pairs that mean the same and 2 that don't; area under the curve ")
    assert lines[1].split() == ["threshold", "precision", "recall", "F1"]
    assert any(line.startswith("chosen on half of the pairs: 0.") for line in lines)
    assert lines[-5].split() == ["first", "second", "same", "cosine", "overlap"]
    printed = json.loads(run("evaluate", "duplicates", shop, pairs, "--json", "--same-results", 1).output)
    assert printed["pairs"][0].keys() == {"first", "second", "same", "cosine", "overlap"}
    assert 0 <= printed["pairs"][0]["overlap"] <= 1
    assert len(printed["thresholds"]) == 12


def test_past_queries_and_blocked_words(run, tmp_path, shop_model):
    table = products_table(tmp_path / "products.tsv")
    queries = write_table(tmp_path / "queries.tsv", ("query", "count"), [("fruit", 3), ("fruit knife", 9)])
    (tmp_path / "blocked.txt").write_text("knife\n\n")
    options = ["--queries", queries, "--block", tmp_path / "blocked.txt"]
    run("index", table, "--model", shop_model, "--out", tmp_path / "shop", *options)
    assert run("suggest", tmp_path / "shop", "fru").output == "fruit\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "SHOP", ""], "the query is empty"),
        (["search", "SHOP", "milk" * 25_000], "the query has 100,000 characters"),
        (["search", "SHOP", "milk", "--where", "colour=red"], "no product has a column 'colour'"),
        (["search", "SHOP", "milk", "--where", "red"], "expected COLUMN=VALUE"),
        (["search", "SHOP", "milk", "--top", "0"], "0 results were asked for"),
        (["search", "nowhere", "milk"], "nowhere is not an index"),
        (["suggest", "nowhere", "milk"], "nowhere is not an index"),
        (["suggest", "SHOP", "m" * 100_000], "the query has 100,000 characters"),
        (["index", "TABLE", "--out", "new"], "needs a model"),
        (["index", "TABLE", "--out", "SHOP", "--category", "colour"], "no product has a column 'colour'"),
        (["index", "nothing.tsv", "--out", "SHOP"], "nothing.tsv can't be read"),
    ],
)
def test_what_is_wrong_is_one_line(run, tmp_path, shop, arguments, message):
    table = products_table(tmp_path / "products.tsv", header=HEADER)
    named = {"SHOP": shop, "TABLE": table, "new": tmp_path / "new"}
    assert_one_line_error(run(*(named.get(word, word) for word in arguments)), message)


def test_search_is_measured_next_to_words_meaning_chance_and_the_best(run, tmp_path, shop):
    rows = [("milk", "23", 2), ("milk", "17", 1), ("milk", "8", 0), ("bread", "15", 3), ("toys", "8", 0)]
    judgments = write_table(tmp_path / "judgments.tsv", ("query", "product_id", "gain"), rows)
    lines = run("evaluate", "search", shop, judgments).output.splitlines()
    assert lines[0] == "2 queries, and 1 without a right product"
    assert [line.split("  ")[0] for line in lines[2:]][:5] == [
        "words and meaning",
        "words",
        "meaning",
        "random",
        "ideal",
    ]
    printed = json.loads(run("evaluate", "search", shop, judgments, "--json", "--exponential").output)
    assert printed["queries"] == 2
    assert printed["ideal"]["NDCG@10"] == 1
    assert printed["words"]["recall@100"] == 1
    nothing_right = write_table(tmp_path / "none.tsv", ("query", "product_id", "gain"), [("milk", "23", 0)])
    assert_one_line_error(run("evaluate", "search", shop, nothing_right), "has no query with a right product")


def test_suggestions_are_measured_next_to_the_beginnings_by_popularity(run, tmp_path, shop):
    queries = write_table(tmp_path / "queries.tsv", ("query", "count"), [("Milk", 3), ("oat drink", 1)])
    lines = run("evaluate", "suggest", shop, queries).output.splitlines()
    assert lines[0].split() == ["MRR@10", "after", "1", "after", "2", "after", "3", "saved", "never"]
    assert lines[1].split()[-1] == "25.0%"
    printed = json.loads(run("evaluate", "suggest", shop, queries, "--json").output)
    assert printed["beginnings by popularity"]["success"] == [0.75, 0.75, 0.75]


def test_queries_that_nobody_searched_for_have_no_scores(run, tmp_path, shop):
    queries = write_table(tmp_path / "queries.tsv", ("query", "count"), [("milk", 0), ("´", 3)])
    assert_one_line_error(run("evaluate", "suggest", shop, queries), "has no query that anybody searched for")


def test_the_order_of_suggestions_is_learnt_from_a_log(run, tmp_path):
    """Whoever searches for a bread knife buys it, and nobody buys bananas, which more people search for."""
    events = [("banana bread", "15", f"u{i}", "click") for i in range(60)]
    events += [("bread knife", "16", f"v{i}", "purchase") for i in range(40)]
    log = write_table(tmp_path / "log.tsv", ("query", "product_id", "user", "action"), events)
    shop = make_shop(tmp_path / "shop")
    run("index", products_table(tmp_path / "products.tsv"), "--out", shop, "--queries", log)
    opened = ProductIndex.open(shop)
    assert opened.suggest("b")[0].text == "banana bread"
    lines = run("train-suggest", shop, "--log", log).output.splitlines()
    assert lines[0] == "learnt from 20 lists and 20 searches of a fifth of the users"
    assert [line.split()[1] for line in lines[2:]][:2] == ["popularity", "begins"]
    assert opened.suggest("b")[0].text == "bread knife"  # at once
    assert opened.suggest("b", ranked=False)[0].text == "banana bread"
    assert run("suggest", shop, "b").output.splitlines()[0] == "bread knife"
    later = write_table(tmp_path / "later.tsv", ("query", "count"), [("bread knife", 1)])
    printed = json.loads(run("evaluate", "suggest", shop, later, "--json").output)
    assert printed["suggestions"]["mean_reciprocal_rank"] > printed["without what was learnt"]["mean_reciprocal_rank"]
    (shop / "suggestions.json").write_text("{}")
    assert_one_line_error(run("suggest", shop, "b"), "train again")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train-suggest", "shop", "--log", "log.tsv", "--seed", -1], "'--seed': -1 is not in the range x>=0"),
        (["suggest", "shop", "m", "--same-meaning", "nan"], "'--same-meaning': nan is not a finite number"),
        (["serve", "shop", "--same-results", "nan"], "'--same-results': nan is not a finite number"),
        (["evaluate", "duplicates", "shop", "p.tsv", "--same-results", "nan"], "nan is not a finite number"),
    ],
)
def test_numbers_out_of_range_are_a_wrong_command_line(run, arguments, message):
    result = run(*arguments)
    assert result.status == 2
    assert message in result.error


def test_a_shown_list_and_a_log_that_teach_nothing_are_one_line(run, tmp_path, shop):
    log = write_table(tmp_path / "log.tsv", ("query", "product_id", "user", "action"), [("milk", "17", "u", "click")])
    assert_one_line_error(run("train-suggest", shop, "--log", log), "nothing can be learnt from the log")
    lists = write_table(tmp_path / "lists.tsv", ("prefix", "shown", "picked"), [("m", "milk", "kale")])
    assert_one_line_error(run("train-suggest", shop, "--log", log, "--lists", lists), "line 2: 'kale' was picked")


def test_an_index_is_exported_with_the_commands_that_load_it(run, tmp_path, shop):
    result = run("export", shop, "--to", "pgvector", "--out", tmp_path / "sql")
    assert result.output == f"psql --file {tmp_path / 'sql' / 'shop.sql'}\n"
    assert "COPY products" in (tmp_path / "sql" / "shop.sql").read_text()
    assert run("export", shop, "--to", "a drawer", "--out", tmp_path).status == 2
