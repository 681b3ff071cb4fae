"""GeoQuery's own queries on its database: gold against gold must be right wherever it runs."""

import pytest

from minitransformer.evaluation.sql import Database, canonical_sql, sql_quality
from tests.parity.real_data import data_file


def gold_queries(part):
    lines = data_file(f"t2s_geoquery/{part}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[1] for line in lines]


@pytest.fixture(scope="module")
def database():
    return Database(data_file("t2s_geoquery/geography-db.added-in-2020.sqlite"))


@pytest.mark.parametrize(("part", "examples"), [("train", 549), ("dev", 49)])
def test_gold_is_right_whenever_it_runs(database, part, examples):
    gold = gold_queries(part)
    quality = sql_quality(gold, gold, [database])
    assert (quality.exact_match, quality.execution, quality.examples) == (100, 100, examples)
    assert quality.left_out <= 5


def test_every_query_whose_words_are_in_another_case_gives_the_same_rows(database):
    """The canonical form keeps what SQLite reads: it can be run in place of the query."""
    for query in gold_queries("dev"):
        assert database.run(" ".join(canonical_sql(query))) == database.run(query)


def test_two_queries_drawn_by_chance_hardly_ever_agree(database):
    gold = sorted(set(gold_queries("train")))
    quality = sql_quality(gold[1:] + gold[:1], gold, [database])
    assert quality.exact_match == 0
    assert quality.execution < 10
