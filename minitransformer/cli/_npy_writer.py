"""Rows that arrive chunk by chunk, however many they will be, as a .npy file."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from minitransformer.errors import UserError
from minitransformer.files import locked, replacing


def write_rows(file: Path, chunks: Iterable[np.ndarray], width: int, dtype: np.dtype) -> int:
    """Write chunks of rows (n, width) one under the other, and return how many rows there were.

    The file is replaced when all are written. Raises UserError if it can't be written, or if another process does so.
    """
    lock = file.with_name(f".{file.name}.lock")
    with locked(lock, str(file)), replacing(file) as beside, beside.open("wb") as opened:
        num_rows = 0
        _write_header(opened, num_rows, width, dtype)
        for chunk in chunks:
            opened.write(np.ascontiguousarray(chunk, dtype).tobytes())
            num_rows += len(chunk)
        # NumPy leaves room in the header for the number of rows to grow.
        opened.seek(0)
        _write_header(opened, num_rows, width, dtype)
    return num_rows


def pipe_rows(pipe: BinaryIO, chunks: Iterable[np.ndarray], width: int, dtype: np.dtype) -> int:
    """As write_rows, to a pipe. The number of rows goes first, so they wait in a temporary file until it is known."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.npy")
        num_rows = write_rows(file, chunks, width, dtype)
        with file.open("rb") as opened:
            shutil.copyfileobj(opened, pipe)
    pipe.flush()
    return num_rows


def stream_rows(file: Path, chunks: Iterable[np.ndarray], width: int, dtype: np.dtype) -> int:
    """As write_rows, into a device or a named pipe, which stays what it is."""
    try:
        with file.open("wb") as pipe:
            return pipe_rows(pipe, chunks, width, dtype)
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror or error}") from None


def _write_header(opened: BinaryIO, num_rows: int, width: int, dtype: np.dtype) -> None:
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (num_rows, width)}
    np.lib.format.write_array_header_1_0(opened, description)
