import pytest

from minitransformer.errors import UserError
from minitransformer.search.shown_lists import ShownList, read_shown_lists, typed_lists
from tests.small_tables import write_table

COLUMNS = ("prefix", "shown", "picked")


def test_lists_are_read_as_suggestions_are_compared(tmp_path):
    rows = [("Mac ", "Mac and Cheese|mac  pro", "MAC PRO"), ("ma", "macaroni", "")]
    assert read_shown_lists(write_table(tmp_path / "lists.tsv", COLUMNS, rows)) == [
        ShownList("mac", ("mac and cheese", "mac pro"), "mac pro"),
        ShownList("ma", ("macaroni",), None),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [(("m", "milk|mace", "kale"), "line 2: 'kale' was picked, but isn't"), (("m", "|", ""), "line 2: no suggestions")],
)
def test_what_is_wrong_with_a_list_is_said(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        read_shown_lists(write_table(tmp_path / "lists.tsv", COLUMNS, [row]))


def test_searches_are_typed_anew_and_pick_their_query_where_it_is_shown():
    lists = typed_lists(["milk"] * 40 + ["kale"] * 40, lambda prefix: ["milk", "mint"] if prefix[0] == "m" else [], 0)
    assert len(lists) == 40
    assert {shown.prefix for shown in lists} == {"m", "mi", "mil", "milk"}
    assert {(shown.shown, shown.picked) for shown in lists} == {(("milk", "mint"), "milk")}
    assert typed_lists(["milk"], lambda prefix: ["mint"], 0)[0].picked is None
