import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.text.truncation import Truncation, longest_first


def cut(ids, limit, mode="silent"):
    return Truncation(limit, mode).cut("a text", ids)


def test_a_text_is_cut_at_the_limit_and_keeps_its_sep():
    assert cut([2, 7, 8, 9, 10, 3], limit=4) == [2, 7, 8, 3]
    assert cut([2, 7, 8, 3], limit=4) == [2, 7, 8, 3]


def test_what_was_cut_is_counted_and_said_once():
    cutter = Truncation(6, "warn")
    for length in (3, 12, 9):
        cutter.cut("a text", [7] * length)
    with pytest.warns(UserWarning, match="cut off") as warnings:
        cutter.report()
    [message] = [str(warning.message) for warning in warnings]
    assert message == "2 of 3 texts are longer than the model's 6 tokens: 9 of 24 tokens were cut off"


def test_cutting_can_be_an_error_or_silent(recwarn):
    with pytest.raises(UserError, match="a text has 12 tokens, but the model takes 6: 'a text'"):
        cut([7] * 12, limit=6, mode="error")
    cutter = Truncation(6, "silent")
    cutter.cut("a text", [7] * 12)
    cutter.report()
    assert not recwarn.list
    with pytest.raises(UserError, match="truncation must be one of warn, error, silent; found 'no'"):
        Truncation(6, "no")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 70))
def test_the_longer_text_is_cut_first_and_nothing_more_than_needed(first, second, budget):
    kept_first, kept_second = longest_first(np.array(first), np.array(second), budget)
    assert kept_first + kept_second == min(first + second, budget)
    if kept_first < first and kept_second < second:
        assert abs(kept_first - kept_second) <= 1
    elif kept_first < first:
        assert kept_first >= second - 1
    elif kept_second < second:
        assert kept_second >= first - 1
