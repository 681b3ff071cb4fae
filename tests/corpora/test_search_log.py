import pytest

from minitransformer.corpora.search_log import Event, read_search_log
from minitransformer.errors import UserError
from tests.small_tables import write_table

HEADER = ("query", "product_id", "user", "action", "position", "time")
ROWS = (
    ("orange", "13176", "u1", "impression", "2", "2026-11-26T09:30:00"),
    ("orange", "13176", "u1", "add_to_cart", "2", "2026-11-26T09:30:20"),
    ("orange", "24852", "u2", "add_to_cart", "", "2026-11-26T09:41:07"),
)


@pytest.fixture
def write(tmp_path):
    return lambda rows=ROWS, header=HEADER: write_table(tmp_path / "log.tsv", header, rows)


def test_events_come_in_the_order_of_the_log(write):
    events = read_search_log(write())
    assert events[0] == Event("orange", "13176", "u1", "impression", 2, "2026-11-26T09:30:00")
    assert [event.position for event in events] == [2, 2, None]


def test_position_and_time_may_be_missing_and_columns_stand_in_any_order(write):
    path = write([("add_to_cart", "u1", "7", "kale", "web")], ("event", "user_id", "id", "query", "channel"))
    assert read_search_log(path) == [Event("kale", "7", "u1", "add_to_cart")]


def test_events_with_unknown_products_are_left_out_counted_and_named(write):
    with pytest.warns(UserWarning, match=r"log.tsv: 1 of 3 events are left out, .* unknown: '24852'$"):
        events = read_search_log(write(), known={"13176", "5"})
    assert [event.product_id for event in events] == ["13176", "13176"]


def test_of_many_unknown_products_the_commonest_are_named(write):
    rows = [("tea", f"p{i}", "u", "click", "", "") for i in (1, 2, 3, 4, 5, 6, 7, 7)]
    with pytest.warns(UserWarning, match=r"7 of 8 events .*: 'p7', 'p2', 'p3', 'p4', 'p5' and 1 more$"):
        read_search_log(write(rows), known={"p1"})


def test_a_log_of_another_catalogue_is_refused(write):
    with pytest.raises(UserError, match="none of its products is among the 1 known ones, neither '13176', '24852'"):
        read_search_log(write(), known={"999"})


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_a_missing_column_is_named_with_those_that_are_there(write, column):
    header = [name for place, name in enumerate(HEADER) if place != column]
    rows = [[field for place, field in enumerate(row) if place != column] for row in ROWS]
    with pytest.raises(UserError, match=f"has no column {HEADER[column]}.*; its columns are: {' '.join(header)}"):
        read_search_log(write(rows, header))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "log.tsv has no line after its header; expected a table"),
        ([ROWS[0], ("", *ROWS[1][1:])], "line 3: the field 'query' is empty; fill it or delete the line"),
        ([("kale", "7", " ", "click", "1", "")], "line 2: the field 'user' is empty"),
        ([("kale", "7", "u", "click", "0", "")], "line 2: the position '0' is not a whole number from 1 on"),
        ([("kale", "7", "u", "click", "top", "")], "line 2: the position 'top' is not a whole number from 1 on"),
        ([("kale", "7", "u", "click", "1")], "line 2: expected 6 fields as in the header, found 5"),
    ],
)
def test_what_is_wrong_with_a_log_is_said_in_one_sentence(write, rows, message):
    with pytest.raises(UserError, match=message):
        read_search_log(write(rows))
