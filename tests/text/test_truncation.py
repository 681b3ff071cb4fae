import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.text.truncation import longest_first


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
