"""The table of products that people judged for some queries."""

import os

from minitransformer.corpora.columns import place_of, read_rows
from minitransformer.errors import UserError
from minitransformer.search.product_table import QUERY_COLUMNS

PRODUCT_COLUMNS = ("product_id", "id")
GAIN_COLUMNS = ("gain", "rating", "relevance", "grade")


def read_judgments(path: str | os.PathLike[str], exponential: bool = False) -> dict[str, dict[str, float]]:
    """{query: {product: gain}} of a table with the columns query, product_id and gain (or rating, relevance, grade).

    exponential    take 2^gain - 1 for a gain, as is usual for grades such as 0, 1, 2, 3

    Raises UserError that names the line if a gain isn't a number from 0 on, or a product is judged twice for a query.
    """
    header, rows = read_rows(path)
    query, product, gain = (place_of(path, header, names) for names in (QUERY_COLUMNS, PRODUCT_COLUMNS, GAIN_COLUMNS))
    judgments: dict[str, dict[str, float]] = {}
    for line, values in rows:
        gains = judgments.setdefault(values[query], {})
        if values[product] in gains:
            raise UserError(f"{path}, line {line}: {values[product]!r} was judged for {values[query]!r} before")
        number = _number(values[gain])
        if not 0 <= number < 1000:
            raise UserError(f"{path}, line {line}: the gain {values[gain]!r} is not a number from 0 to 999")
        gains[values[product]] = 2.0**number - 1 if exponential else number
    return judgments


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1
