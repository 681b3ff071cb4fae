import numpy as np

from minitransformer.ops.sequences import reduce_sequences, rows_in_order, starts_of

LENGTHS = np.array([3, 1, 2])


def test_a_sequence_starts_where_those_before_it_end():
    assert starts_of(LENGTHS).tolist() == [0, 3, 4]


def test_sequences_may_be_taken_in_any_order_and_more_than_once():
    assert rows_in_order(LENGTHS, np.array([2, 0, 2])).tolist() == [4, 5, 0, 1, 2, 4, 5]


def test_each_sequence_comes_to_one_row():
    rows = np.array([[1.0], [2], [3], [10], [4], [7]])
    assert reduce_sequences(np.add, rows, LENGTHS).tolist() == [[6], [10], [11]]
    assert reduce_sequences(np.maximum, rows, LENGTHS).tolist() == [[3], [10], [7]]
