"""The products of an index in SQLite: their columns, the words in them, and the text that is embedded of each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.search.database import Database
from minitransformer.search.product_table import Product
from minitransformer.search.terms import suggested_texts

CATALOGUE_FILE = "catalogue.sqlite"

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, fields TEXT NOT NULL, text TEXT NOT NULL,
    row INTEGER
);
CREATE INDEX IF NOT EXISTS products_without_row ON products (key) WHERE row IS NULL;
CREATE TABLE IF NOT EXISTS fields (
    name TEXT, value TEXT, product INTEGER, PRIMARY KEY (name, value, product)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fields_of_product ON fields (product);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(name, others, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE TABLE IF NOT EXISTS suggestions (
    key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, popularity REAL NOT NULL, row INTEGER
);
CREATE INDEX IF NOT EXISTS suggestions_without_row ON suggestions (key) WHERE row IS NULL;
CREATE TABLE IF NOT EXISTS past_queries (text TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS blocked (text TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, number INTEGER NOT NULL, count INTEGER NOT NULL);
"""

Where = Mapping[str, str | Sequence[str]]  # column: the value that a product must have there, or one of several


class Changes(NamedTuple):
    """What became of the products when a table was read."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {what}" for what, count in self._asdict().items())


class Filter(NamedTuple):
    """A condition on `product`, the key of a product, for a WHERE clause, and its parameters."""

    condition: str
    parameters: list[str]


def conditions(texts: Iterable[str]) -> dict[str, list[str]]:
    """The columns and values of texts such as "department=produce". Raises UserError for one without an =."""
    where: dict[str, list[str]] = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"the condition {text!r} has no =; expected COLUMN=VALUE, such as department=produce")
        where.setdefault(column.strip(), []).append(value.strip())
    return where


class Catalogue(Database):
    """The database of an index."""

    def __init__(self, folder: Path, create: bool = False) -> None:
        super().__init__(folder / CATALOGUE_FILE, SCHEMA if create else "")

    def update(self, products: Iterable[Product], embedded: Sequence[str], keep_others: bool) -> Changes:
        """Add the products that are new, and take over what has changed in the others.

        Those that aren't among them are deleted, unless they are to be kept. A product keeps its embedding as long as
        its name and the columns `embedded` say the same.
        """
        counts = {"added": 0, "changed": 0, "unchanged": 0, "deleted": 0}
        with self.transaction() as connection:
            known = connection.execute("SELECT id, key, name, fields, text FROM products").fetchall()
            left = {product_id: columns for product_id, *columns in known}
            for product in products:
                key, _, fields, text = left.pop(product.id, (None, None, None, None))
                new_fields, new_text = json.dumps(product.fields, ensure_ascii=False), embedded_text(product, embedded)
                if key is None:
                    self._add(product, new_fields, new_text)
                    counts["added"] += 1
                elif (fields, text) == (new_fields, new_text):
                    counts["unchanged"] += 1
                else:
                    self._change(key, product, new_fields, new_text)
                    counts["changed"] += 1
            for product_id, (key, name, fields, text) in left.items():
                if not keep_others:
                    self._forget(key)
                    connection.execute("DELETE FROM products WHERE key = ?", (key,))
                    counts["deleted"] += 1
                elif text != embedded_text(kept := Product(product_id, name, json.loads(fields)), embedded):
                    self._change(key, kept, fields, embedded_text(kept, embedded))
        return Changes(**counts)

    def _add(self, product: Product, fields: str, text: str) -> None:
        columns = "INSERT INTO products (id, name, fields, text) VALUES (?, ?, ?, ?)"
        key = self.connection.execute(columns, (product.id, product.name, fields, text)).lastrowid
        self._index(key, product)

    def _change(self, key: int, product: Product, fields: str, text: str) -> None:
        self._forget(key)
        keep_row = "row = CASE WHEN text = ? THEN row END"
        statement = f"UPDATE products SET name = ?, fields = ?, {keep_row}, text = ? WHERE key = ?"
        self.connection.execute(statement, (product.name, fields, text, text, key))
        self._index(key, product)

    def _index(self, key: int | None, product: Product) -> None:
        """Let a product be found by its words and its columns."""
        others = " \n ".join(value for value in product.fields.values() if value not in (product.id, product.name))
        self.connection.execute("INSERT INTO words (rowid, name, others) VALUES (?, ?, ?)", (key, product.name, others))
        rows = [(column, value, key) for column, value in product.fields.items()]
        self.connection.executemany("INSERT INTO fields VALUES (?, ?, ?)", rows)

    def _forget(self, key: int) -> None:
        self.connection.execute("DELETE FROM words WHERE rowid = ?", (key,))
        self.connection.execute("DELETE FROM fields WHERE product = ?", (key,))

    def remember(self, queries: Mapping[str, int] | None, blocked: Iterable[str] | None) -> None:
        """Take these past queries and blocked phrases in place of the earlier ones, which None keeps."""
        with self.transaction() as connection:
            if queries is not None:
                connection.execute("DELETE FROM past_queries")
                connection.executemany("INSERT INTO past_queries VALUES (?, ?)", queries.items())
            if blocked is not None:
                connection.execute("DELETE FROM blocked")
                connection.executemany("INSERT OR IGNORE INTO blocked VALUES (?)", [(text,) for text in blocked])

    def update_suggestions(self) -> None:
        """Let those texts be suggested that the products' names and the past queries make, and no others."""
        self.set_suggestions(self.suggestible(dict(self.connection.execute("SELECT text, count FROM past_queries"))))

    def suggestible(self, queries: Mapping[str, int]) -> dict[str, float]:
        """The popularity of each text that could be suggested if these were the past queries."""
        names = [name for (name,) in self.connection.execute("SELECT name FROM products ORDER BY key")]
        blocked = [text for (text,) in self.connection.execute("SELECT text FROM blocked")]
        return suggested_texts(names, queries, blocked)

    def set_suggestions(self, popularity: Mapping[str, float]) -> None:
        """Let these texts be suggested, and no others. Those that were there before keep their embeddings."""
        upsert = "INSERT INTO suggestions (text, popularity) VALUES (?, ?)"
        upsert += " ON CONFLICT (text) DO UPDATE SET popularity = excluded.popularity"
        with self.transaction() as connection:
            known = [text for (text,) in connection.execute("SELECT text FROM suggestions")]
            gone = [(text,) for text in known if text not in popularity]
            connection.executemany("DELETE FROM suggestions WHERE text = ?", gone)
            connection.executemany(upsert, popularity.items())

    def is_begun(self) -> bool:
        """Whether there is anything in the file."""
        if not self.path.exists():
            return False
        with self.transaction("DEFERRED") as connection:
            return bool(connection.execute("SELECT 1 FROM sqlite_master").fetchone())

    def columns(self) -> list[str]:
        return [name for (name,) in self.connection.execute("SELECT DISTINCT name FROM fields ORDER BY name")]

    def filter(self, where: Where | None) -> Filter:
        """The products that have, in each of these columns, the value or one of the values.

        Raises UserError for a column that no product has.
        """
        conditions, parameters = ["TRUE"], []
        for column, wanted in (where or {}).items():
            if not self.connection.execute("SELECT 1 FROM fields WHERE name = ? LIMIT 1", (column,)).fetchone():
                raise UserError(f"no product has a column {column!r}; there are {', '.join(self.columns())}")
            values = [wanted] if isinstance(wanted, str) else list(wanted)
            marks = ", ".join("?" * len(values))
            conditions.append(f"product IN (SELECT product FROM fields WHERE name = ? AND value IN ({marks}))")
            parameters += [column, *values]
        return Filter(" AND ".join(conditions), parameters)

    def keys(self, products: Filter) -> np.ndarray:
        """The keys (n,) of the products that pass, in ascending order."""
        statement = f"SELECT key AS product FROM products WHERE {products.condition} ORDER BY key"
        return np.array([key for (key,) in self.connection.execute(statement, products.parameters)], np.int64)

    def products(self, keys: Sequence[int]) -> list[Product]:
        """The products with these keys, in their order."""
        marks = ", ".join("?" * len(keys))
        found = self.connection.execute(f"SELECT key, id, name, fields FROM products WHERE key IN ({marks})", keys)
        by_key = {key: Product(product_id, name, json.loads(fields)) for key, product_id, name, fields in found}
        return [by_key[key] for key in keys]


def embedded_text(product: Product, columns: Sequence[str]) -> str:
    """What is embedded of a product: its name, and what it has in these columns."""
    return ", ".join([product.name, *(product.fields[column] for column in columns if column in product.fields)])
