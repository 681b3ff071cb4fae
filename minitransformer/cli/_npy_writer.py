"""A .npy file of rows that arrive block by block, however many they will be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from minitransformer.files import replacing


def write_rows(file: Path, blocks: Iterable[np.ndarray], width: int, dtype: np.dtype) -> int:
    """Write blocks of rows (n, width) one under the other, and return how many rows there were.

    The file is replaced when all are written. Raises UserError if it can't be written.
    """
    with replacing(file) as beside, beside.open("wb") as opened:
        num_rows = 0
        _write_header(opened, num_rows, width, dtype)
        for block in blocks:
            opened.write(np.ascontiguousarray(block, dtype).tobytes())
            num_rows += len(block)
        # NumPy leaves room in the header for the number of rows to grow.
        opened.seek(0)
        _write_header(opened, num_rows, width, dtype)
    return num_rows


def _write_header(opened: BinaryIO, num_rows: int, width: int, dtype: np.dtype) -> None:
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (num_rows, width)}
    np.lib.format.write_array_header_1_0(opened, description)
