"""The table of products that an index is made from, and the table of past queries.

Between fields there are tabs, or what spreadsheets write (corpora/dialects.py), and the first line is a header. A
product has an id in the column product_id (or id) and a name in name (or title); its other columns can be anything, and
may be empty. A query has its text in the column query and, if they are there, the number of times it was searched for
in count.

    product_id<TAB>name<TAB>department          query<TAB>count
    24852<TAB>Banana<TAB>produce                bananas<TAB>1200
"""

import os
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from minitransformer.corpora import search_log
from minitransformer.corpora.columns import place_of, read_rows
from minitransformer.errors import UserError
from minitransformer.search.past_searches import MIN_USERS, queries_with_clicks, searches_of

ID_COLUMNS, NAME_COLUMNS = ("product_id", "id"), ("name", "title")
QUERY_COLUMNS = ("query",)


class Product(NamedTuple):
    """A line of the table: `fields` holds the columns that aren't empty, id and name among them, by their names."""

    id: str
    name: str
    fields: dict[str, str]


def read_products(path: str | os.PathLike[str]) -> list[Product]:
    """The products of a table, in its order.

    Raises UserError that names the line if the header lacks a column, a line has more or fewer fields than the header,
    a product has no id or no name, or an id is there twice.
    """
    header, rows = read_rows(path)
    id_column, name_column = (place_of(path, header, names) for names in (ID_COLUMNS, NAME_COLUMNS))
    products: list[Product] = []
    line_of: dict[str, int] = {}
    for line, values in rows:
        product_id, name = values[id_column], values[name_column]
        if not product_id or not name:
            empty = header[name_column if product_id else id_column]
            raise UserError(f"{path}, line {line}: the field {empty!r} is empty; fill it or delete the line")
        if product_id in line_of:
            twice = f"the id {product_id!r} is that of line {line_of[product_id]} too"
            raise UserError(f"{path}, line {line}: {twice}; each product needs an id of its own")
        line_of[product_id] = line
        fields = {column: value for column, value in zip(header, values, strict=True) if value}
        products.append(Product(product_id, name, fields))
    return products


def check_columns(products: Sequence[Product], columns: Sequence[str]) -> None:
    """Raises UserError if there are no products, or none has one of the columns."""
    if not products:
        raise UserError("there are no products to index")
    known = {column for product in products for column in product.fields}
    for column in columns:
        if column not in known:
            raise UserError(f"no product has a column {column!r}; there are {', '.join(sorted(known))}")


def read_queries(path: str | os.PathLike[str]) -> dict[str, int]:
    """How often each query was searched for: once for each line that has it, or as often as its count says.

    Of a log (corpora/search_log.py): the queries after which at least two users clicked something, each once for each
    user. Warns if there are none.
    """
    header, rows = read_rows(path)
    if all(set(names) & set(header) for names in search_log.COLUMNS.values()):
        queries = queries_with_clicks(searches_of(search_log.events_of(path, header, rows)))
        if not queries:
            clicked = f"after no query of the log did {MIN_USERS} users click something"
            warnings.warn(f"{path}: {clicked}, so none of its queries is suggested", stacklevel=2)
        return queries
    query_column = place_of(path, header, QUERY_COLUMNS)
    counts: dict[str, int] = {}
    for line, values in rows:
        count = values[header.index("count")] if "count" in header else "1"
        if not count.isdecimal():
            raise UserError(f"{path}, line {line}: the count {count!r} is not a whole number")
        counts[values[query_column]] = counts.get(values[query_column], 0) + int(count)
    return counts
