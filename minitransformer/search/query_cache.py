"""Embeddings of queries that were asked before, in a SQLite file: most searches repeat an earlier one."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import numpy as np

from minitransformer.errors import UserError
from minitransformer.search.database import Database
from minitransformer.search.embedding_file import FLOAT

CACHE_FILE = "queries.sqlite"
MAX_QUERIES = 20_000  # then the oldest go

# After a power cut the file may be broken. It can be deleted at any time.
SCHEMA = """
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS queries (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, embedding BLOB NOT NULL);
"""


class QueryCache:
    """Embeddings by their queries. Where nothing can be written, nothing is remembered, and nobody hears of it."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / CACHE_FILE, SCHEMA)

    def get(self, query: str) -> np.ndarray | None:
        with suppress(UserError, sqlite3.Error):
            statement = "SELECT embedding FROM queries WHERE text = ?"
            for (embedding,) in self._database.connection.execute(statement, (query,)):
                return np.frombuffer(embedding, FLOAT)
        return None

    def put(self, query: str, embedding: np.ndarray) -> None:
        with suppress(UserError, sqlite3.Error), self._database.transaction() as connection:
            row = (query, np.ascontiguousarray(embedding, FLOAT).tobytes())
            number = connection.execute("INSERT OR REPLACE INTO queries (text, embedding) VALUES (?, ?)", row).lastrowid
            connection.execute("DELETE FROM queries WHERE number <= ?", ((number or 0) - MAX_QUERIES,))
