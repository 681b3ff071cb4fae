"""The search of the simulated shop: BM25 and popularity, as its log will show. It isn't good, and it isn't meant to be.

A log only ever knows what the search of its time put on the page.
"""

from __future__ import annotations

import sqlite3

import numpy as np

from minitransformer.search.words import match_expression
from scripts.experiments.simulation.products import Shop

POPULARITY = 0.4  # what the logarithm of a product's purchases counts beside BM25, each as a share of the largest
DEPTH = 40  # products that are candidates for a page


class OldSearch:
    """Ranks a shop's products for a query."""

    def __init__(self, shop: Shop) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("CREATE VIRTUAL TABLE words USING fts5(name, tokenize = 'porter unicode61')")
        names = [(place, product.name) for place, product in enumerate(shop.products)]
        self.connection.executemany("INSERT INTO words (rowid, name) VALUES (?, ?)", names)
        popularity = np.log1p(shop.purchases)
        self.popularity = popularity / popularity.max()

    def find(self, query: str, popularity: float = POPULARITY) -> np.ndarray:
        """The first DEPTH products, the best first; fewer if fewer have a word of the query."""
        statement = "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?"
        found = np.array(self.connection.execute(statement, (match_expression(query),)).fetchall()).reshape(-1, 2)
        places, bm25 = found[:, 0].astype(int), found[:, 1]
        scores = bm25 / bm25.max(initial=1e-9) + popularity * self.popularity[places]
        return places[np.argsort(-scores, kind="stable")[:DEPTH]]
