import pytest

from minitransformer.corpora.search_log import Event
from minitransformer.search.past_searches import Search, queries_with_clicks, searches_of
from minitransformer.search.product_table import read_queries
from tests.small_tables import write_table

EVENTS = [
    Event("Milk ", "1", "ann", "impression"),
    Event("milk", "1", "ann", "add_to_cart"),
    Event("milk", "1", "ann", "purchase"),
    Event("milk", "2", "bob", "click"),
    Event("kale", "3", "ann", "click"),
    Event("kale", "3", "bob", "impression"),
]


def test_a_search_is_a_query_and_a_user_and_counts_different_products():
    assert searches_of(EVENTS) == [
        Search("milk", "ann", True, 1),
        Search("milk", "bob", True, 0),
        Search("kale", "ann", True, 0),
        Search("kale", "bob", False, 0),
    ]


def test_a_query_that_only_one_person_found_something_with_isnt_suggested_to_others():
    assert queries_with_clicks(searches_of(EVENTS)) == {"milk": 2}
    assert queries_with_clicks(searches_of(EVENTS), min_users=1) == {"milk": 2, "kale": 2}


def test_a_log_can_be_given_as_past_queries(tmp_path):
    table = write_table(tmp_path / "log.tsv", Event._fields[:4], [event[:4] for event in EVENTS])
    assert read_queries(table) == {"milk": 2}


def test_a_log_of_past_queries_is_read_once_and_so_is_what_there_is_to_note(tmp_path):
    lines = [",".join(event[:4]) for event in EVENTS]
    (tmp_path / "log.csv").write_text("\n".join([",".join(Event._fields[:4]), *lines]))
    with pytest.warns(UserWarning, match="is read as CSV") as notes:
        assert read_queries(tmp_path / "log.csv") == {"milk": 2}
    assert len(notes) == 1


def test_a_log_after_whose_queries_nobody_clicked_anything_is_noted(tmp_path):
    table = write_table(tmp_path / "log.tsv", Event._fields[:4], [event[:4] for event in EVENTS[-2:]])
    with pytest.warns(UserWarning, match="after no query of the log did 2 users click something, so none of its quer"):
        assert read_queries(table) == {}
