import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.inference.generation.stop_text import until


@pytest.mark.parametrize(
    ("stop", "pieces", "expected"),
    [
        (None, ["a", "b"], ["a", "b"]),
        ("x", ["a", "b"], ["a", "b"]),
        ("x", ["ax", "b"], ["a"]),
        ("x", ["x", "b"], []),
        ("\n\n", ["one\n", "two\n", "\nthree"], ["one", "\ntwo"]),
        ("aab", ["a", "a", "a", "b", "c"], ["a"]),
        ("END", ["E", "N"], ["EN"]),
    ],
)
def test_pieces_are_given_out_up_to_the_stop_text(stop, pieces, expected):
    assert [*until(stop, pieces)] == expected


@given(st.text("ab", min_size=1, max_size=4), st.lists(st.text("ab", max_size=5)))
def test_whatever_the_pieces_the_text_ends_where_the_stop_text_begins(stop, pieces):
    assert "".join(until(stop, pieces)) == "".join(pieces).partition(stop)[0]


def test_nothing_is_asked_for_after_the_stop_text():
    """The pieces come from a model, and each costs something."""
    pieces = iter(["a", "b", "c"])
    assert [*until("b", pieces)] == ["a"]
    assert [*pieces] == ["c"]


def test_a_piece_is_given_out_as_soon_as_it_is_sure():
    pieces = iter(["one ", "E", "ast"])
    text = until("END", pieces)
    assert next(text) == "one "
    assert next(text) == "East"
