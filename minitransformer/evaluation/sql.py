"""How good predicted SQL is: is it the expected query, and does it give the expected rows?

Two queries that differ may answer the same, and two that answer the same may do so by chance. Both numbers are needed,
and these rules keep the second one honest:

- rows are compared as a multiset, in their order only if the expected query asks for one;
- an expected query that fails is left out, and counted; a predicted one that fails is wrong;
- an empty answer proves nothing: it counts only if the queries are equal;
- several databases with other contents may be given: a prediction must then be right on each of them
  (the idea of Zhong et al. 2020, arXiv 2010.02840).

A query runs alone, can only read, and for a limited time.
"""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minitransformer.errors import UserError

Rows = list[tuple]

SECONDS, MOST_ROWS = 5.0, 100_000  # that a query may take, and give
LONGEST_VALUE = 10**6  # bytes
_STEPS_PER_LOOK = 10_000  # of SQLite's machine, between two looks at the clock
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w.]+|<=|>=|<>|!=|\|\||==|\S""")


class SqlQuality(NamedTuple):
    """Shares of the examples, from 0 to 100, and how many there were.

    exact_match    the prediction is the expected query, but for white space, case of words and kind of quotes
    execution      it gives the expected rows; of the examples whose expected query runs
    examples       all of them
    left_out       whose expected query fails
    failed         whose prediction fails
    """

    exact_match: float
    execution: float
    examples: int
    left_out: int
    failed: int


class Database:
    """An SQLite file, to be read only. Raises UserError if it isn't there or isn't one."""

    def __init__(self, file: str | Path) -> None:
        if not Path(file).is_file():
            raise UserError(f"there is no database {file}; expected an SQLite file")
        self.file = file
        self._connection = sqlite3.connect(f"{Path(file).resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            self._connection.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.DatabaseError as error:
            raise UserError(f"{file} is not an SQLite database: {error}") from None
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        self._connection.set_authorizer(_only_reading)

    def run(self, query: str, seconds: float = SECONDS) -> Rows | None:
        """The rows of a query; None if it fails, takes too long, gives too many, or is not one query that reads."""
        deadline = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
        try:
            rows = self._connection.execute(with_single_quotes(query)).fetchmany(MOST_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError):
            return None
        return rows if len(rows) <= MOST_ROWS else None


def _only_reading(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def sql_quality(
    predictions: Sequence[str], expected: Sequence[str], databases: Sequence[Database], seconds: float = SECONDS
) -> SqlQuality:
    """How good predictions (n) are, next to expected queries (n), on one database or several."""
    if len(predictions) != len(expected) or not expected:
        raise UserError(f"there are {len(predictions)} predictions for {len(expected)} expected queries")
    exact = right = left_out = failed = 0
    for prediction, gold in zip(predictions, expected, strict=True):
        is_exact = canonical_sql(prediction) == canonical_sql(gold)
        exact += is_exact
        answers = [database.run(gold, seconds) for database in databases]
        found = answers if is_exact else [database.run(prediction, seconds) for database in databases]
        failed += any(rows is None for rows in found)
        if any(rows is None for rows in answers):
            left_out += 1
        else:
            right += is_exact or _are_the_same(found, answers, has_order(gold))
    num_examples = len(expected)
    execution = 100 * right / max(1, num_examples - left_out)
    return SqlQuality(100 * exact / num_examples, execution, num_examples, left_out, failed)


def canonical_sql(query: str) -> tuple[str, ...]:
    """The tokens of a query, equal for queries that differ only in white space, case of words, kind of quotes and ;.

    >>> canonical_sql('select NAME from City where state = "New York" ;')
    ('select', 'name', 'from', 'city', 'where', 'state', '=', "'New York'")
    """
    tokens = _TOKEN.findall(with_single_quotes(query))
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return tuple(token if token.startswith("'") else token.lower() for token in tokens)


def with_single_quotes(query: str) -> str:
    """The query with "texts" as 'texts'. SQLite takes the first for a column, and only if there is none for a text.

    >>> with_single_quotes("SELECT x WHERE y = \\"o'hare\\"")
    "SELECT x WHERE y = 'o''hare'"
    """

    def single(match: re.Match[str]) -> str:
        token = match[0]
        if len(token) < 2 or not token.startswith('"'):
            return token
        text = token[1:-1].replace('""', '"').replace("'", "''")
        return f"'{text}'"

    return _TOKEN.sub(single, query)


def has_order(query: str) -> bool:
    """Whether a query says in which order its rows come: an ORDER BY that is not within parentheses."""
    depth, before = 0, ""
    for token in canonical_sql(query):
        depth += (token == "(") - (token == ")")
        if depth == 0 and (before, token) == ("order", "by"):
            return True
        before = token
    return False


def _are_the_same(found: Sequence[Rows | None], expected: Sequence[Rows | None], in_order: bool) -> bool:
    """Whether the rows from each database agree, and say something in each."""
    for rows, gold in zip(found, expected, strict=True):
        if rows is None or gold is None or not any(value is not None for row in gold for value in row):
            return False
        if (rows != gold) if in_order else (Counter(rows) != Counter(gold)):
            return False
    return True
