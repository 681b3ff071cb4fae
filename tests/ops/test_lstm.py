import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.ops.lstm import lstm_cell_forward, lstm_forward

IN, H = 4, 3


def arguments(num_rows, num_sequences, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(num_rows, IN), (num_sequences, H), (num_sequences, H), (IN, 4 * H), (H, 4 * H), (4 * H,)]
    return [rng.normal(size=shape) for shape in shapes]


def textbook_lstm(x, h, c, weight, recurrent, bias):
    """The rows h of one sequence, and its last c, step by step from the formulas."""
    rows = []
    for row in x:
        i, f, g, o = np.split(row @ weight + h @ recurrent + bias, 4)
        sigmoid = [1 / (1 + np.exp(-z)) for z in (i, f, o)]
        c = sigmoid[1] * c + sigmoid[0] * np.tanh(g)
        h = sigmoid[2] * np.tanh(c)
        rows.append(h)
    return np.array(rows), c


def test_a_cell_worked_by_hand():
    """z = (0, ln 3, 0, -ln 3): half of tanh(0) = 0 is added, 3/4 of c = 2 kept, and a quarter of tanh(1.5) shown."""
    z = np.array([[0, math.log(3), 0, -math.log(3)]])
    (h, c), _ = lstm_cell_forward(z, np.array([[2.0]]))
    assert c == pytest.approx(np.array([[1.5]]))
    assert h == pytest.approx(np.array([[0.25 * math.tanh(1.5)]]))


def test_gates_far_from_0_are_open_or_shut():
    z = np.array([[-1e4, 1e4, 5.0, 1e4]], np.float32)
    with np.errstate(all="raise", under="ignore"):
        (h, c), _ = lstm_cell_forward(z, np.array([[0.5]], np.float32))
    assert c == 0.5
    assert h == pytest.approx(np.tanh(0.5))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_every_sequence_is_what_the_formulas_make_of_it_alone(lengths):
    """Of whatever lengths, in whatever order."""
    x, h, c, *weights = arguments(sum(lengths), len(lengths))
    (y, last_c), _ = lstm_forward(x, h, c, *weights, np.array(lengths))
    ends = np.cumsum(lengths)
    for s, rows in enumerate(np.split(x, ends[:-1])):
        expected_y, expected_c = textbook_lstm(rows, h[s], c[s], *weights)
        np.testing.assert_allclose(np.split(y, ends[:-1])[s], expected_y, rtol=1e-10)
        np.testing.assert_allclose(last_c[s], expected_c, rtol=1e-10)


def test_a_step_takes_only_the_sequences_that_still_run():
    _, cache = lstm_forward(*arguments(8, 3), np.array([3, 1, 4]))
    assert [len(rows) for rows in cache.steps] == [3, 2, 2, 1]
    assert sum(len(cell.c) for cell in cache.cells) == 8


def test_without_sequences_there_are_no_rows():
    (y, c), _ = lstm_forward(*arguments(0, 0), np.zeros(0, int))
    assert y.shape == c.shape == (0, H)
