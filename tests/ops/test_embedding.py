import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.ops.embedding import embedding_backward, embedding_forward

TABLE = np.random.default_rng(1).normal(size=(6, 3))


@given(st.lists(st.integers(0, 5), max_size=20))
def test_the_result_is_a_product_with_one_hot_rows_and_so_is_the_gradient(ids):
    one_hot = np.eye(6)[ids]
    y, cache = embedding_forward(TABLE, np.array(ids, dtype=int))
    np.testing.assert_array_equal(y, one_hot @ TABLE)
    dy = np.random.default_rng(2).normal(size=y.shape)
    used, rows = embedding_backward(dy, cache)
    np.testing.assert_array_equal(used, sorted(set(ids)))
    np.testing.assert_allclose(rows, (one_hot.T @ dy)[used], rtol=1e-12, atol=1e-15)


def test_an_id_that_stands_three_times_collects_three_gradients():
    """NumPy's dtable[ids] += dy would keep only the last of the three."""
    _, cache = embedding_forward(TABLE, np.array([4, 1, 4, 4]))
    ids, rows = embedding_backward(np.array([[1.0, 0, 0], [0, 5, 0], [0, 0, 2], [3, 0, 0]]), cache)
    np.testing.assert_array_equal(ids, [1, 4])
    np.testing.assert_array_equal(rows, [[0, 5, 0], [4, 0, 2]])


def test_the_rows_looked_up_are_a_copy():
    y, _ = embedding_forward(TABLE, np.array([2]))
    assert not np.shares_memory(y, TABLE)
