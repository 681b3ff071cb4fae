import numpy as np
import pytest

from minitransformer.ops.blocks import in_blocks, row_blocks


@pytest.mark.parametrize("block_elements", [1, 7, 2 * 7, 3 * 7 + 2, 1000])
def test_blocks_cover_every_row_once_and_in_order(block_elements):
    x = np.arange(35).reshape(5, 7)
    blocks = [x[rows] for rows in row_blocks(x, block_elements)]
    np.testing.assert_array_equal(np.concatenate(blocks), x)
    assert max(block.size for block in blocks) <= max(block_elements, 7)


@pytest.mark.parametrize("block_elements", [1, 2 * 7, 1000])
def test_a_function_of_rows_gives_the_same_in_blocks(block_elements):
    x, scale = np.random.default_rng(1).normal(size=(5, 7)), np.arange(5.0)

    def function(x, scale):
        return x * scale[:, None], x.sum(axis=1)

    y, sums = in_blocks(function, x, scale, block_elements=block_elements)
    np.testing.assert_array_equal(y, function(x, scale)[0])
    np.testing.assert_array_equal(sums, function(x, scale)[1])
    np.testing.assert_array_equal(in_blocks(lambda x: -x, x, block_elements=block_elements), -x)


def test_no_rows_give_no_rows():
    assert in_blocks(lambda x: 2 * x, np.zeros((0, 3)), block_elements=1).shape == (0, 3)
