"""Near embeddings found without looking at all: a graph of neighbours (HNSW; Malkov, Yashunin 2016, arXiv 1603.09320).

To read every embedding for every query takes 1 ms for each 15 MB or so. From GRAPH_FROM products on, `index` therefore
also writes a graph, if the extra `search` (voyager) is installed, and search asks it for candidates. Their cosines are
computed exactly, and so is everything under a filter. What the graph has not got yet always is a candidate.
"""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

from minitransformer.files import replacing
from minitransformer.search.embedded_texts import Embeddings
from minitransformer.search.ranking import CANDIDATES

GRAPH_FROM = 250_000  # products; fewer are looked at one by one
DEPTH = 2 * CANDIDATES  # rows that the graph is asked for: up to half of them may be no product's any more
BLOCK = 10_000  # rows added at a time


def update_graph(file: Path, embeddings: Embeddings) -> None:
    """Add the rows that the graph in a file doesn't have, if there are enough for one. Raises UserError if it can't."""
    if len(embeddings.keys) < GRAPH_FROM:
        return
    if find_spec("voyager") is None:
        install = "python -m pip install 'minitransformer[search]', then index again"
        warnings.warn(f"{len(embeddings.keys):,} products are searched faster with a graph: {install}", stacklevel=3)
        return
    import voyager

    space, width = voyager.Space.InnerProduct, embeddings.matrix.shape[1]
    graph = voyager.Index.load(str(file)) if file.exists() else voyager.Index(space, num_dimensions=width)
    known, total = graph.num_elements, len(embeddings.matrix)
    for start in range(known, total, BLOCK):
        rows = np.array(
            embeddings.matrix[start : start + BLOCK]
        )  # a copy, since voyager takes nothing that is read-only
        graph.add_items(rows, ids=range(start, start + len(rows)))
    if known < total:
        with replacing(file) as beside:
            graph.save(str(beside))


class Neighbours:
    """The graph of the embeddings of products."""

    def __init__(self, graph: Any, embeddings: Embeddings) -> None:
        self._graph = graph
        self._places = np.full(len(embeddings.matrix), -1)  # of each row: the product that it is the embedding of
        embedded = embeddings.rows >= 0
        self._places[embeddings.rows[embedded]] = np.flatnonzero(embedded)

    @classmethod
    def load(cls, file: Path, embeddings: Embeddings) -> Self | None:
        """What update_graph wrote, or None."""
        if not file.exists() or find_spec("voyager") is None:
            return None
        import voyager

        return cls(voyager.Index.load(str(file)), embeddings)

    def near(self, query: np.ndarray) -> np.ndarray:
        """The places (m,) of products near a query (E,), and of those that the graph hasn't got."""
        known = self._graph.num_elements
        count = min(DEPTH, known)
        rows, _ = self._graph.query(query, k=count, query_ef=DEPTH)
        places = self._places[np.concatenate([rows.astype(np.int64), np.arange(known, len(self._places))])]
        return places[places >= 0]
