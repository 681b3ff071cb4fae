"""Row by row work on long arrays, done in blocks that stay in the processor's fast memory.

An array that goes through six element-wise steps is read from main memory and written back six times. Taken in blocks
it is read once and written once, and the six steps run in fast memory.

How large is a block? Each step on each block is a NumPy call, which releases and re-acquires the GIL. Where two threads
compute, one waits for the other's turn, about 10 µs a call: with blocks of 2^16 elements, the best for a single thread,
two threads together are no faster than one. With 2^18 the waiting hardly counts.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BLOCK_ELEMENTS = 2**18  # 1 MiB in float32


def row_blocks(x: np.ndarray, block_elements: int = BLOCK_ELEMENTS) -> Iterator[slice]:
    """Slices that cut the rows of x (N, ...) into blocks of about block_elements elements, at least one row each."""
    rows_at_once = max(1, block_elements * len(x) // max(1, x.size))
    for start in range(0, len(x), rows_at_once):
        yield slice(start, start + rows_at_once)


def in_blocks(function: Callable[..., Any], *arrays: np.ndarray, block_elements: int = BLOCK_ELEMENTS) -> Any:
    """function(*arrays), computed for some rows after the other: as many as make a block of the first array.

    The function returns an array or a tuple of arrays. Row i of each result must come from the arguments' rows i alone.
    """
    if arrays[0].size <= block_elements:
        return function(*arrays)
    wholes: list[np.ndarray] = []
    for rows in row_blocks(arrays[0], block_elements):
        results = function(*(array[rows] for array in arrays))
        blocks = results if isinstance(results, tuple) else (results,)
        if not wholes:
            wholes = [np.empty((len(arrays[0]), *block.shape[1:]), block.dtype) for block in blocks]
        for whole, block in zip(wholes, blocks, strict=True):
            whole[rows] = block
    return tuple(wholes) if isinstance(results, tuple) else wholes[0]
