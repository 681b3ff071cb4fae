import pytest
from click.testing import CliRunner

from minitransformer.corpora.search_log import read_search_log
from minitransformer.search.product_table import read_products
from scripts.experiments import simulated_log
from scripts.experiments.simulated_log import CUSTOMERS, read_world, write_log
from tests.scripts.experiments.simulation.small_data import write_data

FEW = CUSTOMERS._replace(sessions=300, users=30, habits=1, bot=5)


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


def test_the_world_is_made_of_all_tables(data):
    world = read_world(data, min_purchases=1)
    assert "Dish Soap" not in {product.name for product in world.shop.products}  # no food
    assert {"oranges", "whole milk", "organic oranges"} <= {*world.queries.texts}
    assert not {"airpods", "saffron"} & {*world.queries.texts}
    assert world.spelling.wrong["milk"] == ["mlik"]
    assert world.examination[0] == 1


def test_the_written_log_is_read_like_any_and_its_first_line_says_that_it_is_simulated(data, tmp_path):
    log = read_world(data, min_purchases=1).log(0, FEW)
    write_log(tmp_path / "log.tsv", log)
    known = {product.id for product in read_products(data / "grocery_instacart/products.tsv")}
    assert read_search_log(tmp_path / "log.tsv", known) == [simulated.event for simulated in log]
    with open(tmp_path / "log.tsv") as file:
        assert "simulated_grade\tsimulated_noise\tsimulated_examined" in file.readline()


def test_the_command_says_how_much_is_noise_and_what_is_bought_after_orange(data, tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_log, "MIN_PURCHASES", 1)
    monkeypatch.setattr(simulated_log, "CUSTOMERS", FEW)
    arguments = [str(data), "--out", str(tmp_path / "log.tsv")]
    printed = CliRunner().invoke(simulated_log.main, arguments, catch_exceptions=False).stdout
    assert "| in 4 real baskets with an orange | share | lift |" in printed
    assert "| Bananas | 75.0% | 1.1 |" in printed  # 3 of the 4, and 4 of all 6: (3/4) / (4/6)
    rows = {
        cells[0]: cells[1:] for cells in (line[2:-2].split(" | ") for line in printed.splitlines() if " | " in line)
    }
    assert "basket" in rows["conversions that are noise"][0]
    assert rows["Navel Oranges"][1] == "3"
    assert (tmp_path / "log.tsv").exists()
