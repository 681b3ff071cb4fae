"""The parts of the experiment that decide what its numbers mean, on a country of three states."""

import sqlite3

import pytest
from click.testing import CliRunner

from minitransformer.evaluation.sql import Database, SqlQuality
from scripts.experiments import question_to_sql
from scripts.experiments.question_to_sql import Trial, cells_of, rows_of, splits_of, trial
from scripts.experiments.sql_aliases import with_aliases, without_aliases
from scripts.experiments.sql_values import Values, sql_of, sql_words
from scripts.experiments.sql_writers import Words, architectures, classifier, retrieval
from tests.small_tables import learning_encoder, write_table

PLACES = {
    "state": [("new york", "albany"), ("ohio", "columbus"), ("texas", "austin")],
    "city": [("york",), ("ohio city",), ("austin",)],
    "river": [("ohio",)],
    "mountain": [("bear",)],
    "lake": [("erie",)],
}
CAPITAL = 'SELECT STATEalias0.CAPITAL FROM STATE AS STATEalias0 WHERE STATEalias0.STATE_NAME = "{}" ;'
NUMBER = 'SELECT COUNT( 1 ) FROM RIVER AS RIVERalias0 WHERE RIVERalias0.RIVER_NAME <> "{}" ;'
ROWS = [
    ("what is the capital of texas", CAPITAL.format("texas"), "train"),
    ("what is the capital of new york", CAPITAL.format("new york"), "train"),
    ("how many rivers but the ohio are there", NUMBER.format("ohio"), "dev"),
]


@pytest.fixture
def database(tmp_path):
    connection = sqlite3.connect(tmp_path / "places.sqlite")
    for name, rows in PLACES.items():
        columns = "state_name, capital" if name == "state" else f"{name}_name"
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return Database(tmp_path / "places.sqlite")


@pytest.fixture
def examples(database):
    return [Values(database).example(question, sql) for question, sql, _ in ROWS]


def test_values_are_hidden_behind_slots_which_say_in_which_columns_they_stand(examples):
    assert [" ".join(example.source) for example in examples] == [
        "what is the capital of value0 state_name",
        "what is the capital of value0 state_name",  # not of new value0, though york is a city
        "how many rivers but the value0 state_name river_name are there",
    ]
    assert examples[0].target == examples[1].target
    assert [example.values for example in examples] == [["texas"], ["new york"], ["ohio"]]


def test_the_longest_value_is_found_where_several_begin(database):
    assert Values(database).example("is ohio city in ohio", "").values == ["ohio city", "ohio"]


def test_values_and_aliases_come_back_into_the_query(examples):
    for example in examples:
        assert f"{sql_of(example.target, example.values)} ;" == example.sql


def test_a_slot_that_the_question_has_no_value_for_stays_one():
    words = sql_words('SELECT x FROM y WHERE z = "value0" OR z = "value1" OR z = "new york" ;')
    assert words[-1] == '"new york"'
    assert sql_of(words, ["ohio"]) == 'SELECT x FROM y WHERE z = "ohio" OR z = "value1" OR z = "new york"'


def test_nothing_is_read_off_the_expected_query(database):
    values = Values(database)
    alone = values.example("is austin in texas or in ohio", "")
    assert alone.source == values.example(alone.question, CAPITAL.format("ohio")).source
    assert alone.values == ["austin", "texas", "ohio"]


ALIASES = """
SELECT CITYalias0.CITY_NAME FROM CITY AS CITYalias0 WHERE CITYalias0.POPULATION = ( SELECT MAX( CITYalias1.POPULATION )
FROM CITY AS CITYalias1 , STATE AS STATEalias0 WHERE STATEalias0.STATE_NAME = CITYalias1.STATE_NAME AND
STATEalias0.STATE_NAME IN ( SELECT BORDER_INFOalias0.BORDER FROM BORDER_INFO AS BORDER_INFOalias0 WHERE
BORDER_INFOalias0.STATE_NAME = CITYalias1.STATE_NAME ) ) AND CITYalias0.STATE_NAME IN ( SELECT STATEalias1.STATE_NAME
FROM STATE AS STATEalias1 )
"""


def test_aliases_are_counted_in_the_order_of_the_selects_and_columns_belong_to_the_innermost_one():
    query = " ".join(ALIASES.split())
    short = without_aliases(query)
    assert "alias" not in short
    assert with_aliases(sql_words(short)) == query


def test_what_is_no_query_gets_aliases_without_an_error():
    assert with_aliases(["STATE", "STATE.AREA", ")", "x.y"]) == "STATE AS STATEalias0 STATEalias0.AREA ) x.y"
    assert with_aliases([]) == ""


def test_a_word_that_was_never_seen_is_the_unknown_one():
    words = Words([["how", "big"], ["SELECT", "AREA"]])
    ids = words.encode(["how", "old"])
    assert (ids[1:], len(words)) == ([Words.UNKNOWN, Words.END], 6)
    assert words.decode(ids) == ["how", "<unknown>"]
    assert words.counts([["big", "big", "old"]])[0].tolist() == [1, 1, 0, 0, 2, 0]


def test_splits_are_by_questions_and_by_queries(tmp_path, database):
    rows = rows_of(write_table(tmp_path / "all.tsv", ("question", "sql", "query_split"), ROWS))
    splits = splits_of(rows[:1], rows[1:], Values(database))
    sizes = {name: ([e.question for e in s.train], [e.question for e in s.dev]) for name, s in splits.items()}
    questions = [question for question, _, _ in ROWS]
    assert sizes == {
        "by questions": (questions[:1], questions[1:]),
        "by queries": (questions[:2], questions[2:]),
    }


def test_retrieval_and_the_classifier_give_a_query_that_they_have_seen_with_the_values_of_the_question(database):
    values = Values(database)
    known = [values.example(question, sql) for question, sql, _ in ROWS[::2]]
    asked = values.example("the capital of ohio", "")
    for learn in (retrieval(learning_encoder()), classifier):
        [found] = learn(known, 0)([asked])
        assert found in [example.target for example in known]
    assert sql_of(found, asked.values) == CAPITAL.format("ohio").removesuffix(" ;")


@pytest.mark.parametrize("name", [*architectures(learning_encoder())])
def test_every_architecture_learns_two_queries_by_heart(name, examples, database):
    split = question_to_sql.Split(examples, examples)
    found = trial(architectures(learning_encoder(), steps=100)[name], split, database, seed=0)
    assert found.quality.exact_match == 100
    assert found.seconds > 0


def test_a_row_has_mean_and_range_of_the_seeds_and_the_seconds_of_the_first_split():
    trials = [
        [Trial(SqlQuality(50, 60, 4, 0, 0), 20), Trial(SqlQuality(60, 60, 4, 0, 0), 30)],
        [Trial(SqlQuality(0, 1, 4, 0, 0), 7)] * 2,
    ]
    assert cells_of(trials) == ["55.0 (50.0 to 60.0)", "60.0", "0.0", "1.0", "25"]
    assert len(question_to_sql.HEADER) == 6


def test_answers_that_several_queries_give_are_counted(examples, database):
    same = examples[0]._replace(sql="SELECT 'austin' ;")
    nothing, broken = (same._replace(sql=sql) for sql in ("SELECT NULL ;", "SELECT x FROM nowhere ;"))
    line = question_to_sql.answers_line(question_to_sql.Split(examples, [same, nothing, broken]), database)
    assert line == (
        "6 different queries are expected, and 5 of them run: 40% give the same answer as another one does, and 1 give "
        "nothing."
    )


def test_the_command_prints_a_row_for_each_architecture(tmp_path, database):
    learning_encoder().save_pretrained(tmp_path / "encoder")
    tables = str(write_table(tmp_path / "all.tsv", ("question", "sql", "query_split"), ROWS))
    options = ["--train", tables, "--dev", tables, "--database", str(database.file), "--steps", "1", "--seeds", "1"]
    arguments = [str(tmp_path / "encoder"), *options]
    printed = CliRunner().invoke(question_to_sql.main, arguments, catch_exceptions=False).stdout
    assert len(printed.splitlines()) == 2 + 6 + 2
