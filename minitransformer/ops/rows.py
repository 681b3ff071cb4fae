"""What the operations share: blocks of rows that stay in the processor's cache, and sums along rows and columns.

A long array that goes through six element-wise steps is read from memory six times. Taken in blocks it is read once,
and the six steps run in the processor's cache.

How large is a block? Each step on each block is a call of NumPy, which lets go of Python's lock and takes it again.
Where two threads compute, the one waits for the other's turn, about 10 µs a call: with blocks of 2^16 elements, the
best for a single thread, two threads together are no faster than one. With 2^18 the waiting hardly counts.
"""

from collections.abc import Iterator

import numpy as np

BLOCK_ELEMENTS = 2**18  # 1 MiB in float32


def row_blocks(x: np.ndarray) -> Iterator[slice]:
    """Slices that cut the rows of x (N, H) into blocks of about BLOCK_ELEMENTS elements."""
    rows = max(1, BLOCK_ELEMENTS // x.shape[1])
    for start in range(0, len(x), rows):
        yield slice(start, start + rows)


def flat_blocks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Blocks of about BLOCK_ELEMENTS elements of arrays of one shape, each block a flat view of the same places."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, BLOCK_ELEMENTS):
        yield tuple(array[start : start + BLOCK_ELEMENTS] for array in flat)


def result_array(x: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """The array to write a result of the shape of x to: `out`, which must be contiguous, or a new one if it is None."""
    if out is None:
        return np.empty(x.shape, x.dtype)
    if not out.flags.c_contiguous:
        raise ValueError("out must be contiguous, since it is written to in flat blocks")
    return out


def column_sums(x: np.ndarray) -> np.ndarray:
    """(H,) of x (N, H): x.sum(axis=0), as a product with a row of ones, the fastest way to add rows up."""
    return np.ones(len(x), x.dtype) @ x


def row_sums(x: np.ndarray) -> np.ndarray:
    """(..., N, 1) of x (..., N, H): x.sum(axis=-1, keepdims=True), as a product with a column of ones."""
    return x @ np.ones((x.shape[-1], 1), x.dtype)


def row_means(x: np.ndarray) -> np.ndarray:
    """(N, 1) of x (N, H): x.mean(axis=1, keepdims=True), as a product with a column of 1 / H."""
    return x @ np.full((x.shape[1], 1), 1 / x.shape[1], x.dtype)


def row_dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 1) of a and b (N, H): (a * b).sum(axis=1, keepdims=True), without an array for the product."""
    return np.einsum("nh,nh->n", a, b)[:, None]
