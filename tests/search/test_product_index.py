import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minitransformer import ProductIndex
from minitransformer.errors import UserError
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.search.fusion import MEANING
from minitransformer.search.indexing import index_products
from tests.small_shop import ROWS, make_shop, products, shop_encoder

NAMES = [row[1] for row in ROWS]


@pytest.fixture(scope="module")
def index(shop):
    return ProductIndex.open(shop)


def ids(hits):
    return [hit.id for hit in hits]


def test_a_hit_says_what_speaks_for_it(index):
    """Against the encoder's own cosines. Both words are in two products, of which the first has nothing else."""
    cosines = shop_encoder().similarity(["chocolate milk"], NAMES)[0]
    hits = index.search("chocolate milk")
    by_id = {hit.id: hit for hit in hits}
    for row, cosine in zip(ROWS, cosines, strict=True):
        if row[0] in by_id:
            assert by_id[row[0]].cosine == pytest.approx(cosine, abs=1e-6)
            assert by_id[row[0]].cosine_rank == 1 + (cosines > cosine + 1e-6).sum()
    first = by_id["17"]
    assert (first.name, first.word_rank, first.words) == ("Chocolate Milk", 1, ["chocolate", "milk"])
    assert first.fields == {"product_id": "17", "name": "Chocolate Milk", "department": "dairy", "price": "2.50"}
    assert first.score == pytest.approx(MEANING * first.cosine + (1 - MEANING), abs=1e-6)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_first_page_is_the_beginning_of_any_longer_one(index):
    everything = index.search("bread milk", 100)
    for top in (1, 2, 5):
        assert index.search("bread milk", top) == everything[:top]


def test_a_filter_comes_before_the_search_and_may_leave_few(index):
    assert set(ids(index.search("milk", where={"department": "sweets"}))) <= {"4", "42"}
    assert ids(index.search("milk", 1, {"department": "sweets"})) == ["4"]
    assert ids(index.search("milk", where={"department": ["sweets", "dairy"], "price": "1.10"})) == ["23"]
    assert index.search("milk", where={"department": "toys"}) == []


@pytest.mark.parametrize("column", ["colour", "' OR 1=1 --", 'x"', ""])
def test_a_column_that_isnt_there_is_an_error(index, column):
    with pytest.raises(UserError, match=r"no product has a column .*; there are department, name, price, product_id"):
        index.search("milk", where={column: "x"})


def test_words_alone_and_meaning_alone(index):
    by_words = index.search("milk", meaning=0)
    assert set(ids(by_words)) == {"17", "4", "23"}
    assert [hit.cosine for hit in by_words] == [None] * 3
    by_meaning = index.search("milk", meaning=1)
    assert [hit.cosine_rank for hit in by_meaning] == [*range(1, len(by_meaning) + 1)]


def test_a_misspelt_word_finds_what_is_meant_and_says_so(index):
    """Also the misspelt word itself is looked for; what a product has isn't taken for an error."""
    hits = index.search("chocolat brread", meaning=0)
    assert {"17", "4", "42", "15", "16"} == {hit.id for hit in hits}
    assert [hit.words for hit in hits if hit.id == "15"] == [["bread"]]
    assert index.search("brrread9", meaning=0) == []  # which may be the number of a part
    assert {hit.id for hit in index.search("whole", meaning=0)} == {"23"}


@pytest.mark.parametrize(
    ("query", "top", "message"),
    [
        ("  ", 10, "is empty"),
        ("milk" * 25_000, 10, "100,000 characters; expected at most 1,000"),
        ("milk", 0, "1 to 1,000"),
        ("\udc80", 1, "isn't text in UTF-8"),
    ],
)
def test_what_cant_be_asked_is_said(index, query, top, message):
    with pytest.raises(UserError, match=message):
        index.search(query, top)


def test_a_query_is_embedded_once_and_then_remembered(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop")
    asked = []
    encode = SentenceEncoder.encode
    monkeypatch.setattr(SentenceEncoder, "encode", lambda self, t, **k: asked.append(t) or encode(self, t, **k))
    first = ProductIndex.open(shop).search("milk")
    again = ProductIndex.open(shop).search(" milk ")
    assert asked == [["milk"]]
    assert again == first


def test_a_cache_that_cant_be_used_changes_no_result(tmp_path):
    shop = make_shop(tmp_path / "shop")
    expected = ProductIndex.open(shop).search("milk")
    (shop / "queries.sqlite").write_bytes(b"not a database" * 100)
    assert ProductIndex.open(shop).search("milk") == expected


def test_the_oldest_queries_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("minitransformer.search.query_cache.MAX_QUERIES", 2)
    index = ProductIndex.open(make_shop(tmp_path / "shop"))
    for query in ("milk", "bread", "bananas"):
        index.search(query)
    assert [index._cache.get(query) is None for query in ("milk", "bread", "bananas")] == [True, False, False]


def test_no_key_that_is_pressed_embeds_anything(index, monkeypatch):
    monkeypatch.setattr(SentenceEncoder, "encode", None)
    assert index.suggest("ba")
    with pytest.raises(TypeError):
        index.search("a query that was never asked before")


def test_an_open_index_sees_what_is_indexed_meanwhile(tmp_path):
    shop = make_shop(tmp_path / "shop")
    index = ProductIndex.open(shop)
    assert "99" not in ids(index.search("milk"))
    index_products(shop, products([*ROWS[1:], ("99", "Milk", "dairy", "1")]))
    assert "17" not in ids(index.search("chocolate milk"))
    assert ids(index.search("milk", meaning=0))[0] == "99"
    assert len(index) == 7


def test_many_threads_find_what_one_finds(index):
    queries = ["milk", "bread", "bananas", "dark chocolate", "fruit"] * 8
    alone = [index.search(query) for query in queries]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(index.search, queries)) == alone


def test_prompts_for_queries_and_products_are_used(tmp_path):
    encoder = shop_encoder(prompts={"query": "fruit ", "document": "bread "})
    index = ProductIndex.open(make_shop(tmp_path / "shop", encoder=encoder))
    expected = encoder.similarity(encoder.encode(["milk"], prompt="fruit "), encoder.encode(NAMES, prompt="bread "))[0]
    found = {hit.name: hit.cosine for hit in index.search("milk", meaning=1)}
    for name, cosine in zip(NAMES, expected, strict=True):
        assert name not in found or found[name] == pytest.approx(cosine, abs=1e-6)


def test_a_category_keeps_out_what_is_of_another_kind(tmp_path, monkeypatch):
    monkeypatch.setattr("minitransformer.search.ranking.TOP_OF_CATEGORIES", 1)
    index = ProductIndex.open(make_shop(tmp_path / "shop", category="department"))
    hits = index.search("fruit")
    assert {hit.fields["department"] for hit in hits} == {hits[0].fields["department"]}


def test_what_is_no_index_or_a_broken_one_is_an_error(tmp_path, shop):
    with pytest.raises(UserError, match=r"is not an index: it has no index\.json"):
        ProductIndex.open(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(shop, broken)
    (broken / "products-0.f32").write_bytes(b"\0" * 48)
    with pytest.raises(UserError, match="doesn't have the 7 embeddings"):
        ProductIndex.open(broken).search("milk")
    (broken / "catalogue.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(UserError, match=r"catalogue\.sqlite can't be used: file is not a database"):
        ProductIndex.open(broken)
    (broken / "catalogue.sqlite").unlink()
    for make_nothing in (lambda file: None, lambda file: file.touch()):
        make_nothing(broken / "catalogue.sqlite")
        with pytest.raises(UserError, match="has no products: indexing was interrupted; run `minitransformer index`"):
            ProductIndex.open(broken)
    (broken / "index.json").write_text('{"format": 2}')
    with pytest.raises(UserError, match="this version needs the format 1"):
        ProductIndex.open(broken)


def test_another_model_in_the_folder_is_found_out(tmp_path):
    shop = make_shop(tmp_path / "shop")
    shop_encoder(seed=2).save_pretrained(shop / "model")
    with pytest.raises(UserError, match="isn't the model that the products were embedded with"):
        ProductIndex.open(shop).search("milk")


def test_products_without_embedding_have_no_cosine_to_be_found_by(index):
    products_ = index._load_products().embeddings
    without = products_._replace(rows=np.where(np.arange(7) == 2, -1, products_.rows))
    cosines = without.cosines(products_.matrix[0], np.arange(7))
    assert cosines[2] == -1
    np.testing.assert_allclose(np.delete(cosines, 2), np.delete(products_.matrix @ products_.matrix[0], 2), atol=1e-6)
