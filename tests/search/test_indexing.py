import sqlite3
import threading

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.search import embedded_texts
from minitransformer.search.catalogue import Changes
from minitransformer.search.embedding_file import EmbeddingFile
from minitransformer.search.index_model import IndexModel
from minitransformer.search.indexing import index_products
from minitransformer.search.product_index import ProductIndex
from tests.small_shop import ROWS, make_shop, products, shop_encoder

RENAMED = [("17", "Dark Milk", "dairy", "2.50"), *ROWS[1:]]


@pytest.fixture
def embedded(monkeypatch):
    """The texts that are embedded as products, in their order."""
    texts = []
    embed = IndexModel.embed_products
    monkeypatch.setattr(IndexModel, "embed_products", lambda self, given: texts.extend(given) or embed(self, given))
    return texts


def everything(folder):
    """All that can be seen of an index: each product by its id, with its cosine to a query and its columns."""
    hits = ProductIndex.open(folder).search("milk bread", 100, meaning=0.99)
    return {hit.id: (hit.fields, pytest.approx(hit.cosine, abs=1e-6), hit.words) for hit in hits}


def assert_as_made_at_once(folder, rows, tmp_path):
    assert everything(folder) == everything(make_shop(tmp_path / "at once", rows))


def test_only_what_is_new_or_has_another_name_is_embedded(tmp_path, embedded):
    shop = make_shop(tmp_path / "shop")
    assert len(embedded) == len(ROWS)
    embedded.clear()
    assert index_products(shop, products()) == Changes(unchanged=7)
    assert embedded == []
    cheaper = ("23", "Whole Milk", "dairy", "0.80")
    rows = [RENAMED[0], ROWS[1], cheaper, *ROWS[3:6], ("99", "Milk Bread", "bakery", "1")]
    assert index_products(shop, products(rows)) == Changes(added=1, changed=2, unchanged=4, deleted=1)
    assert embedded == ["Dark Milk", "Milk Bread"]
    assert_as_made_at_once(shop, rows, tmp_path)


def test_others_can_be_kept(tmp_path):
    shop = make_shop(tmp_path / "shop", ROWS[:4])
    assert index_products(shop, products(ROWS[4:]), keep_others=True) == Changes(added=3)
    assert_as_made_at_once(shop, ROWS, tmp_path)


def test_columns_that_are_embedded_too(tmp_path, embedded):
    make_shop(tmp_path / "shop", ROWS[5:], embedded=("department", "price"))
    assert embedded == ["Dark Chocolate, sweets", "Bread Knife, kitchen, 9.00"]
    embedded.clear()
    index_products(tmp_path / "shop", products(ROWS[5:]), embedded=("department",))
    assert embedded == ["Bread Knife, kitchen"]


@pytest.mark.parametrize("batch", range(1, 7))
def test_what_was_interrupted_goes_on_where_it_was(tmp_path, monkeypatch, embedded, batch):
    """Interrupted in the middle of writing a batch of one: the batches before it are there, and all is found after."""
    monkeypatch.setattr(embedded_texts, "BATCH", 1)
    append = EmbeddingFile.append

    def fail(self, rows, start):
        append(self, rows, start)  # written, but not yet counted
        if start == batch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddingFile, "append", fail)
        with pytest.raises(KeyboardInterrupt):
            make_shop(tmp_path / "shop")
    assert len(embedded) == batch + 1
    with pytest.warns(UserWarning, match=f"{7 - batch} of 7 products have no embedding yet"):
        assert len(ProductIndex.open(tmp_path / "shop").search("milk bread")) >= 5  # by words, all can be found
    embedded.clear()
    assert index_products(tmp_path / "shop", products()) == Changes(unchanged=7)
    assert len(embedded) == 7 - batch
    assert_as_made_at_once(tmp_path / "shop", ROWS, tmp_path)


def test_an_interruption_while_products_are_read_changes_nothing(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop")
    before = everything(shop)

    def interrupted():
        yield from products(RENAMED[:3])
        raise KeyboardInterrupt

    index = ProductIndex.open(shop)
    with pytest.raises(KeyboardInterrupt):
        index.catalogue.update(interrupted(), (), keep_others=False)
    assert everything(shop) == before


def test_a_full_disk_is_one_error_and_nothing_is_lost(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop")
    before = everything(shop)
    many = [*ROWS, *((f"n{i}", "Milk " * 500, "dairy", "1") for i in range(50))]
    connect = sqlite3.connect

    def small_disk(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small_disk)
        with pytest.raises(UserError, match="database or disk is full"):
            index_products(shop, products(many))
    assert everything(shop) == before


def test_a_disk_that_is_full_for_embeddings_is_one_error_and_nothing_is_lost(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop")

    def full(path, *mode):
        if str(path).endswith(".f32"):
            raise OSError(28, "No space left on device")
        return open(path, *mode)

    with monkeypatch.context() as patch:
        patch.setattr("minitransformer.search.embedding_file.open", full, raising=False)
        with pytest.raises(UserError, match=r"products-0\.f32 .* No space left"):
            index_products(shop, products(RENAMED))
    index_products(shop, products(RENAMED))
    assert_as_made_at_once(shop, RENAMED, tmp_path)


def test_two_indexers_at_once_are_refused(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop")
    inside, go_on = threading.Event(), threading.Event()
    embed = IndexModel.embed_products

    def slow(self, texts):
        inside.set()
        assert go_on.wait(60)
        return embed(self, texts)

    monkeypatch.setattr(IndexModel, "embed_products", slow)
    first = threading.Thread(target=index_products, args=(shop, products(RENAMED)))
    first.start()
    assert inside.wait(60)
    try:
        with pytest.raises(UserError, match="is being written by another process"):
            index_products(shop, products())
        with pytest.warns(UserWarning, match="1 of 7 products have no embedding yet"):
            assert len(ProductIndex.open(shop).search("bread", meaning=0)) == 2  # searching goes on meanwhile
    finally:
        go_on.set()
        first.join()
    index_products(shop, products())


def test_an_index_keeps_to_its_model(tmp_path):
    shop = make_shop(tmp_path / "shop")
    index_products(shop, products(), shop_encoder())
    with pytest.raises(UserError, match="was made with another model"):
        index_products(shop, products(), shop_encoder(seed=2))
    with pytest.raises(UserError, match="needs a model"):
        index_products(tmp_path / "new", products())


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match=r"is no index, and has other files \(model\)"):
        make_shop(tmp_path)
    assert not [*(tmp_path / "model").iterdir()]


def test_a_model_that_was_half_copied_is_copied_again(tmp_path):
    (tmp_path / ".model").mkdir()
    (tmp_path / ".model" / "config.json").write_text("{")
    make_shop(tmp_path)
    assert not (tmp_path / ".model").exists()
    assert ProductIndex.open(tmp_path).search("milk")


def test_columns_that_arent_there_are_named(tmp_path):
    with pytest.raises(UserError, match="no product has a column 'colour'; there are department, name, price"):
        make_shop(tmp_path / "shop", category="colour")
    shop = make_shop(tmp_path / "old shop", category="price")
    with pytest.raises(UserError, match="no product has a column 'price'"):
        index_products(shop, [product for product in products() if product.id == "42"])  # which has no price
    assert len(ProductIndex.open(shop)) == 7
    with pytest.raises(UserError, match="there are no products"):
        make_shop(tmp_path / "shop", [])


def test_a_file_of_mostly_unused_rows_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_texts, "BATCH", 2)
    shop = make_shop(tmp_path / "shop")
    reader = ProductIndex.open(shop)
    for number in range(5):
        rows = [(row[0], f"{row[1]} {'milk ' * number}", *row[2:]) for row in ROWS]
        index_products(shop, products(rows))
        assert len(reader.search("milk", 100, meaning=0.99)) == 7
    files = [*shop.glob("products-*.f32")]
    assert len(files) == 1
    assert files[0].name != "products-0.f32"
    assert files[0].stat().st_size <= 2 * 7 * 12 * 4
    assert_as_made_at_once(shop, rows, tmp_path)


def test_suggestions_follow_the_products_and_the_queries(tmp_path):
    shop = make_shop(tmp_path / "shop", queries={"fruit": 3})
    index = ProductIndex.open(shop)
    assert [found.text for found in index.suggest("fru")] == ["fruit"]
    index_products(shop, products(ROWS[:2]), queries={"breakfast": 1})
    assert index.suggest("fru") == []
    assert [found.text for found in index.suggest("br")] == ["breakfast"]


def test_what_isnt_said_again_stays_as_it_was(tmp_path, embedded):
    options = {"embedded": ("price",), "category": "department", "queries": {"fruit": 3}, "blocked": ["knife"]}
    shop = make_shop(tmp_path / "shop", **options)
    embedded.clear()
    assert index_products(shop, products()) == Changes(unchanged=7)
    index = ProductIndex.open(shop)
    assert embedded == []
    assert (index.settings.embedded, index.settings.category) == (("price",), "department")
    assert [found.text for found in index.suggest("fru")] == ["fruit"]
    assert index.suggest("kni") == []


def test_embeddings_are_rows_of_length_1(tmp_path):
    shop = make_shop(tmp_path / "shop")
    rows = np.fromfile(shop / "products-0.f32", "<f4").reshape(7, 12)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-6)
