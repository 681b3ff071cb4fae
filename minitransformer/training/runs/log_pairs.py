"""What towers learn from: the pairs of a search log for both steps of the cascade, and queries held out from both."""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from minitransformer.corpora.search_log import read_search_log
from minitransformer.errors import UserError
from minitransformer.evaluation.towers import HeldOut
from minitransformer.search.catalogue import embedded_text
from minitransformer.search.evidence import Pair
from minitransformer.search.positives import Selection, select_positives
from minitransformer.search.product_table import check_columns, read_products
from minitransformer.search.synthetic_queries import queries_of
from minitransformer.search.terms import normalise_text

HELD_OUT_SHARE, MOST_QUERIES, MOST_PRODUCTS = 0.05, 500, 2000
FEWEST_QUERIES = 3  # two to tell apart, one to evaluate on

TextPair = tuple[str, str]  # a query, and the text of a product


class LogPairs(NamedTuple):
    """`all` are the warm-up's, every conversion, and `best` the cascade's, in which some are there several times.

    `known` are no negatives of each other: what is learnt, and products with the queries that their names or their
    synthetic columns make.
    """

    all: list[TextPair]
    best: list[TextPair]
    known: list[TextPair]
    held_out: HeldOut
    report: str  # on how the best were selected


def read_log_pairs(
    log: str, products_file: str, embedded: Sequence[str], selection: Selection, seed: int = 0
) -> LogPairs:
    """The pairs of a log of these products, whose texts are their names and what they have in the columns `embedded`.

    `selection` is of the best pairs, and `seed` draws its synthetic ones. The held-out queries are a twentieth of those
    that somebody typed, the same ones whenever the log has them, and what is right for them are their best products.
    Raises UserError if the files can't be read, or there are too few queries.
    """
    products = read_products(products_file)
    check_columns(products, embedded)
    texts = {product.id: embedded_text(product, embedded) for product in products}
    events = read_search_log(log, texts)
    every_pair = select_positives(events, products).pairs
    best = select_positives(events, products, selection, seed)
    typed = best.pairs[: best.report.num_pairs]
    queries = held_out_queries(typed, log)
    held_out = _held_out([pair for pair in typed if pair.query in queries], texts)
    of_all, of_best = (
        [(pair.query, texts[pair.product_id]) for pair in pairs if pair.query not in queries]
        for pairs in (every_pair, best.pairs)
    )
    of_products = [
        (query, texts[product.id])
        for product in products
        for query in (normalise_text(product.name), *queries_of(product, selection.synthetic_columns))
    ]
    return LogPairs(of_all, of_best, [*of_all, *of_products], held_out, str(best.report))


def held_out_queries(pairs: Sequence[Pair], log: str) -> set[str]:
    """A twentieth of the queries of the pairs, but one at least: those whose checksums are lowest."""
    queries = sorted({pair.query for pair in pairs}, key=_lot)
    if len(queries) < FEWEST_QUERIES:
        found = f"has positives for {len(queries)} of its queries"
        raise UserError(f"{log} {found}; training needs {FEWEST_QUERIES}: two to tell apart, one to evaluate on")
    return {*queries[: min(MOST_QUERIES, max(1, round(HELD_OUT_SHARE * len(queries))))]}


def _held_out(pairs: Sequence[Pair], texts: dict[str, str]) -> HeldOut:
    """The queries of some pairs; their products are to be found among others, up to MOST_PRODUCTS in all."""
    right: dict[str, set[str]] = {}
    for query, product_id in pairs:
        right.setdefault(query, set()).add(texts[product_id])
    needed = dict.fromkeys(text for found in right.values() for text in sorted(found))
    others = sorted({*texts.values()} - needed.keys(), key=_lot)
    candidates = [*needed, *others[: max(0, MOST_PRODUCTS - len(needed))]]
    places = {text: place for place, text in enumerate(candidates)}
    return HeldOut([*right], candidates, [sorted(places[text] for text in found) for found in right.values()])


def _lot(text: str) -> tuple[int, str]:
    return zlib.crc32(text.encode()), text
