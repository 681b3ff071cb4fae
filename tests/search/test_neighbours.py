import numpy as np
import pytest

from minitransformer.search import neighbours as module
from minitransformer.search.embedded_texts import Embeddings
from minitransformer.search.indexing import index_products
from minitransformer.search.neighbours import Neighbours, update_graph
from minitransformer.search.product_index import ProductIndex
from tests.small_shop import ROWS, make_shop, products

RENAMED = [("17", "Dark Milk", "dairy", "2.50"), *ROWS[2:]]


@pytest.fixture
def graphs(monkeypatch):
    """A graph for any number of products."""
    pytest.importorskip("voyager", reason="needs voyager, of the extra `search`")
    monkeypatch.setattr(module, "GRAPH_FROM", 1)


def clustered(count, width=32, seed=0):
    """Rows of length 1 in clusters, as embeddings are."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(50, width))[rng.integers(50, size=count)] + 0.5 * rng.normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_nearly_all_of_the_nearest_are_candidates(tmp_path, graphs, monkeypatch):
    """Held against the exact search: recall of the 10 nearest of 5,000, with 200 candidates."""
    monkeypatch.setattr(module, "DEPTH", 200)
    matrix, keys = clustered(5000), np.arange(5000)
    embeddings = Embeddings(keys, keys, matrix)
    update_graph(tmp_path / "graph", embeddings)
    neighbours = Neighbours.load(tmp_path / "graph", embeddings)
    found = []
    for query in clustered(50, seed=0):
        exact = np.argsort(-(matrix @ query))[:10]
        found.append(np.isin(exact, neighbours.near(query)).mean())
    assert np.mean(found) > 0.99


def test_rows_that_the_graph_hasnt_got_yet_are_candidates_and_unused_ones_never(tmp_path, graphs, monkeypatch):
    monkeypatch.setattr(module, "DEPTH", 3)
    matrix = clustered(20)
    update_graph(tmp_path / "graph", Embeddings(np.arange(15), np.arange(15), matrix[:15]))
    rows = np.array([1, 17, 0, -1, 19])
    near = Neighbours.load(tmp_path / "graph", Embeddings(np.arange(5), rows, matrix)).near(matrix[0])
    assert {1, 2, 4} <= set(near.tolist())  # rows 17 and 19 are new, and row 0 is the query itself
    assert 3 not in near


def test_search_finds_the_same_with_a_graph_and_goes_on_doing_so(tmp_path, graphs, monkeypatch):
    shop = make_shop(tmp_path / "shop")
    assert (shop / "products-0.voyager").exists()
    index_products(shop, products(RENAMED))
    with_graph = ProductIndex.open(shop)
    found = {query: with_graph.search(query) for query in ("milk", "dark bread", "fruit")}
    (shop / "products-0.voyager").unlink()
    without = ProductIndex.open(shop)
    for query, hits in found.items():
        assert [hit.id for hit in hits] == [hit.id for hit in without.search(query)]
    assert [hit.id for hit in with_graph.search("milk", where={"department": "sweets"})] == [
        hit.id for hit in without.search("milk", where={"department": "sweets"})
    ]


def test_few_products_need_none_and_where_voyager_is_missing_that_is_said(tmp_path, monkeypatch):
    assert not [*make_shop(tmp_path / "shop").glob("*.voyager")]
    monkeypatch.setattr(module, "GRAPH_FROM", 1)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match=r"7 products are searched faster with a graph: .*\[search\]"):
        index_products(tmp_path / "shop", products())
