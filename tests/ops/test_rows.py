import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitransformer.ops.rows as rows_module
from minitransformer.ops.rows import column_sums, flat_blocks, result_array, row_blocks, row_dots, row_means, row_sums


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 30))
def test_the_blocks_cover_every_element_once_and_in_order(num_rows, size, block_elements):
    x = np.arange(num_rows * size).reshape(num_rows, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "BLOCK_ELEMENTS", block_elements)
        by_rows = [x[rows] for rows in row_blocks(x)]
        flat = [block for (block,) in flat_blocks(x)]
    for blocks in (by_rows, flat):
        assert [element for block in blocks for element in block.reshape(-1)] == list(range(x.size))
        assert all(block.size <= max(size, block_elements) for block in blocks)


def test_what_is_written_to_a_flat_block_is_written_to_its_array():
    x, y = np.arange(6.0).reshape(2, 3), np.zeros((2, 3))
    for x_block, y_block in flat_blocks(x, y):
        y_block[...] = 2 * x_block
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-15)])
def test_sums_and_means_are_numpys(dtype, tolerance):
    x = np.random.default_rng(1).normal(size=(5, 7)).astype(dtype)
    stack = np.random.default_rng(2).normal(size=(2, 3, 5, 7)).astype(dtype)
    for found, expected in [
        (column_sums(x), x.sum(axis=0)),
        (row_means(x), x.mean(axis=1, keepdims=True)),
        (row_dots(x, x[::-1]), (x * x[::-1]).sum(axis=1, keepdims=True)),
        (row_sums(stack), stack.sum(axis=-1, keepdims=True)),
    ]:
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=10 * tolerance, atol=tolerance)


def test_a_result_goes_to_the_array_given_or_to_a_new_one_and_never_into_nowhere():
    x, out = np.ones((2, 3), np.float32), np.empty((2, 3), np.float32)
    assert result_array(x, out) is out
    new = result_array(x, None)
    assert (new.shape, new.dtype) == (x.shape, x.dtype)
    with pytest.raises(ValueError, match="contiguous"):
        result_array(x, np.empty((3, 2)).T)
