"""A file of embeddings: rows are appended, none is ever changed, and all are mapped into memory."""

import os
from pathlib import Path

import numpy as np

from minitransformer.errors import UserError

FLOAT = np.dtype("<f4")


class EmbeddingFile:
    """Rows of `width` numbers, without a header. How many of them count is for others to know."""

    def __init__(self, path: Path, width: int) -> None:
        self.path, self.width = path, width

    def rows(self, count: int) -> np.ndarray:
        """The first rows (count, width), in float32 and read-only. Nothing is read from the disk before it is used.

        Raises UserError if the file has fewer.
        """
        if not count:
            return np.empty((0, self.width), FLOAT)
        try:
            return np.memmap(self.path, FLOAT, "r", shape=(count, self.width))
        except (OSError, ValueError) as error:
            broken = f"{self.path} doesn't have the {count:,} embeddings that the catalogue counts ({error})"
            raise UserError(f"{broken}; delete the index and make it again") from None

    def append(self, rows: np.ndarray, start: int) -> None:
        """Write the row numbered `start` and those after it, and wait until the disk has them.

        Raises UserError if it can't be written.
        """
        try:
            with open(self.path, "r+b" if self.path.exists() else "wb") as opened:
                opened.seek(start * self.width * FLOAT.itemsize)
                opened.write(np.ascontiguousarray(rows, FLOAT).tobytes())
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise UserError(f"{self.path} can't be written: {error.strerror or error}") from None
