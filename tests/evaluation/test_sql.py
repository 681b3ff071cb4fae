import sqlite3
import time

import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.sql import Database, canonical_sql, has_order, sql_quality, with_single_quotes

CITIES = [("boise", "idaho", 102), ("austin", "texas", 345), ("dallas", "texas", 904), ("mobile", "alabama", 200)]


def write_database(file, cities=CITIES):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE city (name, state, people)")
        connection.executemany("INSERT INTO city VALUES (?, ?, ?)", cities)
    connection.close()
    return file


@pytest.fixture
def database(tmp_path):
    return Database(write_database(tmp_path / "cities.sqlite"))


def quality(database, prediction, gold):
    return sql_quality([prediction], [gold], [database])


def test_equal_rows_are_right_whatever_the_query_looks_like(database):
    found = quality(
        database, "SELECT name FROM city WHERE people > 900", 'SELECT name FROM city WHERE name = "dallas" ;'
    )
    assert (found.exact_match, found.execution) == (0, 100)


def test_white_space_case_of_words_and_kind_of_quotes_do_not_matter_but_values_do(database):
    gold = 'SELECT name FROM city WHERE state = "texas" ;'
    assert quality(database, "select  NAME from City where state='texas'", gold).exact_match == 100
    assert quality(database, "select name from city where state = 'Texas'", gold).exact_match == 0


@pytest.mark.parametrize(
    ("prediction", "gold", "is_right"),
    [
        ("SELECT name FROM city ORDER BY people", "SELECT name FROM city", True),
        ("SELECT name FROM city", "SELECT name FROM city ORDER BY people DESC", False),
        ("SELECT state FROM city", "SELECT DISTINCT state FROM city", False),
        ("SELECT people + 0.0 FROM city", "SELECT people FROM city", True),
        ("SELECT state, name FROM city", "SELECT name, state FROM city", False),
    ],
)
def test_rows_are_a_multiset_unless_the_gold_orders_them(database, prediction, gold, is_right):
    assert quality(database, prediction, gold).execution == 100 * is_right


def test_an_empty_answer_counts_only_if_the_query_is_the_same(database):
    gold = "SELECT name FROM city WHERE state = 'ohio'"
    assert quality(database, "SELECT name FROM city WHERE state = 'utah'", gold).execution == 0
    assert quality(database, gold, gold).execution == 100
    assert quality(database, "SELECT MAX(people) FROM city WHERE state = 'utah'", "SELECT NULL").execution == 0


def test_gold_that_fails_is_left_out_and_a_prediction_that_fails_is_wrong(database):
    gold = ["SELECT nothing FROM nowhere", "SELECT name FROM city", "SELECT 1"]
    found = sql_quality(["SELECT 1", "SELECT nam FROM city", "SELECT 1"], gold, [database])
    assert found == (pytest.approx(100 / 3), 50, 3, 1, 1)


def test_what_is_right_by_chance_is_found_out_by_a_second_database(tmp_path, database):
    other = Database(write_database(tmp_path / "other.sqlite", [("dallas", "texas", 1), ("boise", "idaho", 2)]))
    pair = ["SELECT name FROM city WHERE people > 900"], ["SELECT name FROM city WHERE name = 'dallas'"]
    assert sql_quality(*pair, [database]).execution == 100
    assert sql_quality(*pair, [database, other]).execution == 0


def test_a_text_in_double_quotes_is_never_a_column(database):
    """To SQLite "name" would be the column, and every row would match."""
    assert database.run('SELECT people FROM city WHERE name = "name"') == []
    assert with_single_quotes('SELECT \'a "b"\', "c\'d"') == "SELECT 'a \"b\"', 'c''d'"
    assert with_single_quotes('SELECT "unfinished') == 'SELECT "unfinished'


def test_canonical_tokens_keep_texts_whole():
    assert canonical_sql("SELECT a.b<=3 FROM t WHERE c='x  Y' ; ;")[-3:] == ("c", "=", "'x  Y'")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT a FROM b ORDER BY a", True),
        ("SELECT a FROM ( SELECT a FROM b ORDER BY a LIMIT 1 )", False),
        ("SELECT 'order by'", False),
    ],
)
def test_an_order_counts_only_outside_parentheses(query, expected):
    assert has_order(query) is expected


# -- what predictions must not do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE city",
        "INSERT INTO city VALUES ('a', 'b', 1)",
        "SELECT 1; DROP TABLE city",
        "ATTACH DATABASE 'new.sqlite' AS new",
        "PRAGMA user_version = 3",
        "CREATE TEMP TABLE t (a)",
        "SELECT load_extension('evil')",
        "SELECT randomblob(1000000000)",
        "SELEC name",
        "",
        "\0",
        "\ud800",
        "SELECT ?",
    ],
)
def test_a_query_that_does_not_just_read_fails_and_changes_nothing(tmp_path, monkeypatch, query):
    monkeypatch.chdir(tmp_path)
    file = write_database(tmp_path / "cities.sqlite")
    before = file.read_bytes()
    found = Database(file).run(query)
    assert found is None or found == []
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cities.sqlite"]


def test_a_query_that_never_ends_is_stopped(database):
    began = time.monotonic()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    assert database.run(endless, seconds=0.2) is None
    assert time.monotonic() - began < 5
    assert database.run("SELECT 1") == [(1,)]


def test_too_many_rows_are_no_answer(database):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    assert database.run(many) is None


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    with pytest.raises(UserError, match=r"there is no database .*nowhere"):
        Database(tmp_path / "nowhere")
    (tmp_path / "text").write_text("not a database, but a text " * 99)
    with pytest.raises(UserError, match="is not an SQLite database"):
        Database(tmp_path / "text")
    with pytest.raises(UserError, match="there are 2 predictions for 1 expected"):
        sql_quality(["a", "b"], ["a"], [])
