"""The names that GeoQuery's SQL gives to its tables, left out and put back.

    SELECT CITYalias0.CITY_NAME FROM CITY AS CITYalias0        SELECT CITY.CITY_NAME FROM CITY

A table has another number wherever it is used, in the order in which the SELECTs begin, and a column belongs to the
innermost SELECT that reads its table. So the numbers say nothing, but whoever writes the SQL must count. Without them,
"the largest city" is the same words wherever it stands in a query. (A SELECT that reads a table twice isn't put back.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

TABLES = {"BORDER_INFO", "CITY", "HIGHLOW", "LAKE", "MOUNTAIN", "RIVER", "STATE"}
_NAMES = "|".join(sorted(TABLES))
_NAMED, _COLUMN = re.compile(rf"\b({_NAMES}) AS \1alias\d+"), re.compile(rf"\b({_NAMES})alias\d+\.")


def without_aliases(sql: str) -> str:
    return _COLUMN.sub(r"\1.", _NAMED.sub(r"\1", sql))


def with_aliases(words: Sequence[str]) -> str:
    """The query of these words, with an alias for each table."""
    selects, parents = _selects(words)
    aliases: list[dict[str, str]] = [{} for _ in parents] or [{}]
    used: Counter[str] = Counter()
    for select, word in sorted(zip(selects, words, strict=True), key=lambda place: place[0]):
        if word in TABLES:
            aliases[select][word] = f"{word}alias{used[word]}"
            used[word] += 1

    def named(word: str, select: int) -> str:
        table, dot, column = word.partition(".")
        if table not in TABLES:
            return word
        while select > 0 and table not in aliases[select]:
            select = parents[select]
        alias = aliases[select].get(table, f"{table}alias0")
        return f"{alias}.{column}" if dot else f"{table} AS {alias}"

    return " ".join(named(word, select) for word, select in zip(words, selects, strict=True))


def _selects(words: Sequence[str]) -> tuple[list[int], list[int]]:
    """The number of the SELECT that each word belongs to, and the number of that around each SELECT."""
    selects: list[int] = []
    parents: list[int] = []
    outer: list[int] = []
    current = 0
    for word in words:
        if word.endswith("("):
            outer.append(current)
        if word == "SELECT":
            parents.append(current)
            current = len(parents) - 1
        selects.append(current)
        if word == ")" and outer:
            current = outer.pop()
    return selects, parents
