"""Values of a database in questions: found by its own lists, hidden behind slots, and put back into the SQL.

    what rivers are in texas            what rivers are in value0 state_name
    ... WHERE TRAVERSE = "texas"        ... WHERE TRAVERSE = "value0"

What is learnt about texas is then known about all states. Behind a slot stand the columns that have the value, since
nothing else is left of it: "mississippi" is a state and a river, and only the rest of the question can tell which.
Nothing is read off the expected query, so that a question that comes alone can be asked in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from minitransformer.evaluation.sql import Database
from scripts.experiments.sql_aliases import with_aliases, without_aliases

COLUMNS = {  # of GeoQuery's database: what a question may name, and the table that lists it
    "state_name": "state",
    "capital": "state",
    "city_name": "city",
    "river_name": "river",
    "mountain_name": "mountain",
    "lake_name": "lake",
}
_SQL_WORD = re.compile(r'"[^"]*"|\S+')


class Example(NamedTuple):
    """A question and its SQL as they stand in the data, and as an architecture reads and writes them."""

    question: str
    sql: str
    source: list[str]  # words of the question, with slots
    target: list[str]  # words of the SQL, with slots and without aliases
    values: list[str]  # what the slots stand for


class Values:
    """The values of some columns of a database, by which they are found in a text. Longer ones are found first."""

    def __init__(self, database: Database, columns: dict[str, str] = COLUMNS) -> None:
        self.kinds: dict[str, list[str]] = {}  # a value's columns
        for column, table in columns.items():
            for (value,) in database.run(f"SELECT DISTINCT {column} FROM {table}") or []:
                self.kinds.setdefault(value, []).append(column)
        longest_first = sorted(self.kinds, key=lambda value: (-len(value), value))
        self._pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")

    def example(self, question: str, sql: str) -> Example:
        values = [*dict.fromkeys(self._pattern.findall(question))]
        slots = {value: f"value{number}" for number, value in enumerate(values)}

        def described(match: re.Match[str]) -> str:
            return " ".join([slots[match[0]], *self.kinds[match[0]]])

        source = self._pattern.sub(described, question).split()
        target = [f'"{slots[word[1:-1]]}"' if word[1:-1] in slots else word for word in sql_words(without_aliases(sql))]
        return Example(question, sql, source, target, values)


def sql_words(sql: str) -> list[str]:
    """The words of a query, as white space divides them, without the ; that ends it. A text in quotes is one word."""
    return _SQL_WORD.findall(sql.removesuffix(";"))


def sql_of(target: Sequence[str], values: Sequence[str]) -> str:
    """The query that an example's words stand for. A slot without a value stays one."""
    known = {f'"value{number}"': f'"{value}"' for number, value in enumerate(values)}
    return with_aliases([known.get(word, word) for word in target])
