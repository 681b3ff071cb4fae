"""A table of texts of which each has an embedding: products, or suggestions."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from minitransformer.parallel import one_blas_thread
from minitransformer.search.database import Database
from minitransformer.search.embedding_file import EmbeddingFile

BATCH = 2048  # texts embedded at a time: what an interruption costs at most
GATHERED = 4  # if fewer than a quarter of the rows are asked for, they are gathered first
MOSTLY_UNUSED = 2  # a file is written anew when it has this many times the rows that are used

Embed = Callable[[list[str]], np.ndarray]  # texts to rows (S, E) of length 1


class Embeddings(NamedTuple):
    """The entries of a table by their keys, in ascending order, and where their embeddings are.

    keys    (n,) integers
    rows    (n,) places in the matrix; -1 for an entry that has no embedding yet
    matrix  (R, E) memory-mapped rows of length 1, of which some may be no entry's any more
    """

    keys: np.ndarray
    rows: np.ndarray
    matrix: np.ndarray

    def cosines(self, query: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Of a query (E,) of length 1 with the entries at these places (m,); an entry without embedding has -1."""
        rows = self.rows[places]
        cosines = np.full(len(rows), -1, np.float32)
        embedded = rows >= 0
        few = GATHERED * np.count_nonzero(embedded) < len(self.matrix)
        if embedded.any():
            with one_blas_thread():  # several would wait for the memory, and for each other
                found = self.matrix[rows[embedded]] @ query if few else (self.matrix @ query)[rows[embedded]]
            cosines[embedded] = found
        return cosines


class EmbeddedTexts:
    """The table `name` of a database, with the columns key, text and row, and the file of its embeddings.

    A text without a row has no embedding yet. Rows are only ever appended, so whoever reads the index meanwhile sees it
    as it was before or after, and what was embedded before an interruption is there after it.
    """

    def __init__(self, database: Database, folder: Path, name: str, width: int) -> None:
        self.database, self.folder, self.name, self.width = database, folder, name, width

    def load(self) -> Embeddings:
        """What is there now; to be called in a transaction."""
        number, count = self._file()
        found = self.database.connection.execute(f"SELECT key, ifnull(row, -1) FROM {self.name} ORDER BY key")
        keys, rows = np.array(found.fetchall(), np.int64).reshape(-1, 2).T
        return Embeddings(keys, rows, self._matrix(number).rows(count))

    def graph_file(self) -> Path:
        """Where the graph of the embeddings is, if there is one (neighbours.py)."""
        number, _ = self._file()
        return self._matrix(number).path.with_suffix(".voyager")

    def num_missing(self) -> int:
        """How many texts have no embedding yet."""
        [[count]] = self.database.connection.execute(f"SELECT count(*) FROM {self.name} WHERE row IS NULL")
        return count

    def embed_missing(self, embed: Embed, show_progress: bool = False) -> None:
        """Give each text that has no embedding its row."""
        with tqdm(total=self.num_missing(), desc=self.name, unit=" texts", disable=not show_progress) as progress:
            while texts := self._missing():
                embeddings = embed([text for _, text in texts])
                with self.database.transaction() as connection:
                    number, count = self._file()
                    self._matrix(number).append(embeddings, count)
                    rows = [(count + i, key) for i, (key, _) in enumerate(texts)]
                    connection.executemany(f"UPDATE {self.name} SET row = ? WHERE key = ?", rows)
                    self._set_file(number, count + len(rows))
                progress.update(len(texts))

    def compact(self) -> None:
        """If most rows of the file are no text's any more, write those that are into a new file."""
        with self.database.transaction() as connection:
            number, count = self._file()
            used = connection.execute(f"SELECT row, key FROM {self.name} WHERE row IS NOT NULL ORDER BY row").fetchall()
            if count < MOSTLY_UNUSED * max(BATCH, len(used)):
                return
            self._matrix(number + 1).append(self._matrix(number).rows(count)[[row for row, _ in used]], 0)
            rows = [(row, key) for row, (_, key) in enumerate(used)]
            connection.executemany(f"UPDATE {self.name} SET row = ? WHERE key = ?", rows)
            self._set_file(number + 1, len(used))
        with suppress(OSError):  # a system may refuse that while somebody reads it
            self._matrix(number).path.unlink()
            self._matrix(number).path.with_suffix(".voyager").unlink()

    def _missing(self) -> list[tuple[int, str]]:
        statement = f"SELECT key, text FROM {self.name} WHERE row IS NULL ORDER BY key LIMIT {BATCH}"
        return self.database.connection.execute(statement).fetchall()

    def _matrix(self, number: int) -> EmbeddingFile:
        return EmbeddingFile(self.folder / f"{self.name}-{number}.f32", self.width)

    def _file(self) -> tuple[int, int]:
        """The number of the file in use, and how many rows it has."""
        files = self.database.connection.execute("SELECT number, count FROM files WHERE name = ?", (self.name,))
        return files.fetchone() or (0, 0)

    def _set_file(self, number: int, count: int) -> None:
        self.database.connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (self.name, number, count))
