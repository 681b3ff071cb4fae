"""Products found by their words: SQLite's full-text search, ranked by BM25 (Robertson, Zaragoza 2009).

Words are stems (Porter 1980) without accents. A product is found if it has any word of the query, and ranked by how
rare the words are that it has, with its name counting NAME_WEIGHT times as much as its other columns.
"""

import re
import sqlite3
from typing import NamedTuple

import numpy as np

from minitransformer.search.catalogue import Filter

NAME_WEIGHT = 2.0
MAX_WORDS = 64  # of a query: the first ones
_BEGIN, _END = "\x02", "\x03"  # around a word that matches


class WordHits(NamedTuple):
    """Products by their keys (m,), the best first, and their BM25 scores (m,), which are positive."""

    keys: np.ndarray
    scores: np.ndarray

    def of(self, keys: np.ndarray) -> np.ndarray:
        """The scores (n,) of the products with these keys (n,), which ascend; 0 for those that weren't found."""
        scores = np.zeros(len(keys))
        scores[np.searchsorted(keys, self.keys)] = self.scores
        return scores


def find_by_words(connection: sqlite3.Connection, query: str, products: Filter, limit: int) -> WordHits:
    """The best products that have a word of the query and pass the filter, at most `limit`."""
    statement = f"""
        SELECT rowid AS product, -bm25(words, {NAME_WEIGHT}, 1.0) AS score FROM words
        WHERE words MATCH ? AND {products.condition} ORDER BY score DESC, product LIMIT ?
    """
    expression = match_expression(query)
    found = connection.execute(statement, (expression, *products.parameters, limit)) if expression else ()
    keys, scores = np.array([*found], float).reshape(-1, 2).T
    return WordHits(keys.astype(np.int64), scores)


def match_expression(query: str) -> str:
    """The query for FTS5: any of its words. Each is quoted, so none is taken for an operator.

    >>> match_expression('milk AND "2%" NEAR(x')
    '"milk" OR "and" OR "2" OR "near" OR "x"'
    """
    return " OR ".join(f'"{word}"' for word in words_of(query))


def words_of(query: str) -> list[str]:
    """The different words of a query, at most MAX_WORDS."""
    return list(dict.fromkeys(re.findall(r"[^\W_]+", query.lower())))[:MAX_WORDS]


def unknown_words(connection: sqlite3.Connection, query: str) -> list[str]:
    """The words of a query, made of letters, that no product has."""
    statement = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
    words = [word for word in words_of(query) if word.isalpha()]
    return [word for word in words if not connection.execute(statement, (f'"{word}"',)).fetchone()]


def finds_few(connection: sqlite3.Connection, text: str, few: int) -> bool:
    """Whether fewer than `few` products have all words of a text."""
    expression = " ".join(f'"{word}"' for word in words_of(text))
    statement = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
    return not expression or connection.execute(statement, (expression, few)).fetchone()[0] < few


def matched_words(connection: sqlite3.Connection, query: str, keys: list[int]) -> dict[int, list[str]]:
    """The words of these products, as they are written there, that are words of the query."""
    marks = ", ".join("?" * len(keys))
    highlights = ", ".join(f"highlight(words, {column}, ?, ?)" for column in (0, 1))
    statement = f"SELECT rowid, {highlights} FROM words WHERE words MATCH ? AND rowid IN ({marks})"
    parameters = (_BEGIN, _END, _BEGIN, _END, match_expression(query), *keys)
    found = connection.execute(statement, parameters).fetchall() if match_expression(query) else ()
    pattern = re.compile(f"{_BEGIN}([^{_END}]*){_END}")
    return {key: sorted({word.lower() for text in texts for word in pattern.findall(text)}) for key, *texts in found}
