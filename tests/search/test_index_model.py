import pytest

from minitransformer import ProductIndex, SentenceEncoder, UserError
from minitransformer.models.two_towers import TwoTowers
from minitransformer.nn.pair_scores import DotProduct
from minitransformer.search.indexing import index_products
from tests.small_shop import make_shop, products, shop_encoder


@pytest.fixture
def loaded(monkeypatch):
    """The folders of the encoders that are loaded, in their order."""
    folders = []
    real = SentenceEncoder.from_files
    monkeypatch.setattr(SentenceEncoder, "from_files", lambda files: folders.append(files.folder) or real(files))
    return folders


@pytest.fixture
def untied():
    return TwoTowers(shop_encoder(seed=1), shop_encoder(seed=2), DotProduct())


def test_a_search_loads_the_query_tower_alone(tmp_path, loaded, untied):
    shop = make_shop(tmp_path, encoder=untied)
    assert {*loaded} == {shop / "model", shop / "model" / "product"}
    loaded.clear()
    index = ProductIndex.open(shop)
    index.model.load()
    index.search("milk")
    assert loaded == [shop / "model"]


def test_one_encoder_for_both_is_loaded_once(tmp_path, loaded):
    shop = make_shop(tmp_path)
    index_products(shop, products())
    assert loaded == [shop / "model"]


@pytest.mark.parametrize("tower", ["", "product"])
def test_another_model_in_the_place_of_either_tower_is_refused(tmp_path, untied, tower):
    shop = make_shop(tmp_path, encoder=untied)
    shop_encoder(seed=3).save_pretrained(shop / "model" / tower)
    index = ProductIndex.open(shop)
    with pytest.raises(UserError, match="isn't the model that the products were embedded with; put it back"):
        index.model.embed_products(["milk"]) if tower else index.search("milk")
