import numpy as np

from minitransformer.ops.pooling import (
    cls_pooling_forward,
    max_pooling_backward,
    max_pooling_forward,
    mean_pooling_backward,
    mean_pooling_forward,
    mean_sqrt_len_pooling_forward,
)

HIDDEN = np.array([[1.0, 6.0], [3.0, 2.0], [5.0, -8.0], [7.0, 7.0]])
LENGTHS = np.array([3, 1])


def test_each_pooling_of_a_small_example():
    np.testing.assert_array_equal(cls_pooling_forward(HIDDEN, LENGTHS)[0], [[1, 6], [7, 7]])
    np.testing.assert_array_equal(mean_pooling_forward(HIDDEN, LENGTHS)[0], [[3, 0], [7, 7]])
    np.testing.assert_array_equal(max_pooling_forward(HIDDEN, LENGTHS)[0], [[5, 6], [7, 7]])
    np.testing.assert_allclose(mean_sqrt_len_pooling_forward(HIDDEN, LENGTHS)[0], [[9 / 3**0.5, 0], [7, 7]])


def test_a_mean_hands_each_row_its_share():
    _, cache = mean_pooling_forward(HIDDEN, LENGTHS)
    dy = np.array([[3.0, 6.0], [1.0, -1.0]])
    np.testing.assert_array_equal(mean_pooling_backward(dy, cache), [[1, 2], [1, 2], [1, 2], [1, -1]])


def test_of_rows_that_tie_for_the_maximum_the_first_gets_the_gradient():
    hidden = np.array([[0.0, 4.0], [2.0, 4.0], [2.0, 1.0]])
    _, cache = max_pooling_forward(hidden, np.array([3]))
    np.testing.assert_array_equal(max_pooling_backward(np.array([[5.0, 7.0]]), cache), [[0, 7], [5, 0], [0, 0]])


def test_no_sentences_give_no_rows():
    for forward in (cls_pooling_forward, mean_pooling_forward, max_pooling_forward, mean_sqrt_len_pooling_forward):
        assert forward(HIDDEN[:0], LENGTHS[:0])[0].shape == (0, 2)
