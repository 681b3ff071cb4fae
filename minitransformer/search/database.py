"""SQLite files that several threads use, and several processes too."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minitransformer.errors import UserError

BUSY_SECONDS = 30  # how long one waits while another process writes


class Database:
    """A SQLite file, with a connection of its own for each thread.

    Raises UserError if the file can't be used: it isn't a database, the disk is full, another process is at work.
    """

    def __init__(self, path: Path, schema: str) -> None:
        """`schema` creates what isn't there yet; without it the file is only read, and must be there."""
        self.path, self._schema, self._local = path, schema, threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's; each statement is a transaction of its own unless there is one around it."""
        if not hasattr(self._local, "connection"):
            with database_errors(self.path):
                self._local.connection = self._connect()
        return self._local.connection

    def _connect(self) -> sqlite3.Connection:
        mode = "rwc" if self._schema else "rw"  # which reads what can't be written, and repairs what was cut off
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.executescript(self._schema)
        return connection

    def version(self) -> int:
        """A number that every transaction that writes makes larger."""
        return self.connection.execute("PRAGMA user_version").fetchone()[0]

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """What happens in the block happens as a whole or not at all. "DEFERRED" only reads, always the same state."""
        connection = self.connection
        with database_errors(self.path):
            connection.execute(f"BEGIN {kind}")
            try:
                yield connection
                if kind == "IMMEDIATE":
                    connection.execute(f"PRAGMA user_version = {self.version() + 1}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk may have ended it
                    connection.execute("ROLLBACK")
                raise


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UserError(f"{path} can't be used: {error}") from None
