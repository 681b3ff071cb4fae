import numpy as np
import pytest
from click.testing import CliRunner

from scripts.experiments import cascade, simulated_log
from scripts.experiments.cascade import RECIPES, Recipe, Step, Training, copied, rank
from scripts.experiments.simulation import held_out
from tests.scripts.experiments.simulation.small_data import write_data
from tests.scripts.experiments.simulation.test_held_out import experiment  # noqa: F401  (a fixture)
from tests.scripts.experiments.test_simulated_log import FEW
from tests.small_encoders import small_encoder

ONE_STEP, TWO_STEPS = Recipe((Step("all"),)), Recipe((Step("all"), Step("several", "identity")), two_towers=True)


def test_training_finds_what_was_bought_even_from_embeddings_that_know_nothing(experiment):  # noqa: F811
    rng = np.random.default_rng(0)
    experiment.queries, experiment.products = rng.normal(size=(3, 30)), rng.normal(size=(24, 30))

    def right(epochs):
        towers = Training(experiment, seed=0, epochs=epochs, peak_rate=0.02).towers(ONE_STEP)
        queries, products = (
            tower.forward(rows)[0]
            for tower, rows in ((towers.query, experiment.queries), (towers.product, experiment.products))
        )
        ranking = held_out.best_by_cosine(queries, products)[:, :6]
        return np.take_along_axis(experiment.known, ranking, axis=1).mean()

    assert right(epochs=100) > 0.9 > 0.5 > right(epochs=0)


def test_one_step_leaves_one_tower_and_untying_makes_two_that_begin_as_it(experiment):  # noqa: F811
    towers = Training(experiment, seed=0, epochs=1, peak_rate=0.01).towers(ONE_STEP)
    assert towers.query is towers.product
    two = copied(towers, shared=False)
    np.testing.assert_array_equal(two.query.weight.value, towers.query.weight.value)
    np.testing.assert_array_equal(rank(two, experiment), rank(towers, experiment))


def test_two_towers_part_in_the_last_step(experiment):  # noqa: F811
    towers = Training(experiment, seed=0, epochs=2, peak_rate=0.01).towers(TWO_STEPS)
    assert np.abs(towers.query.weight.value - towers.product.weight.value).max() > 1e-4


def test_a_second_step_leaves_the_towers_of_the_first_as_they_are(experiment):  # noqa: F811
    training = Training(experiment, seed=0, epochs=1, peak_rate=0.01)
    before = training.towers(ONE_STEP).query.weight.value.copy()
    training.towers(TWO_STEPS)
    np.testing.assert_array_equal(training.towers(ONE_STEP).query.weight.value, before)


def test_training_is_a_function_of_the_seed(experiment):  # noqa: F811
    first, again, other = (
        Training(experiment, seed, epochs=1, peak_rate=0.01).towers(TWO_STEPS).query.weight.value for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_the_command_prints_a_row_for_each_recipe_beside_the_papers(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_log, "MIN_PURCHASES", 1)
    monkeypatch.setattr(simulated_log, "CUSTOMERS", FEW)
    monkeypatch.setattr(cascade, "SELECTIONS", dict.fromkeys(cascade.SELECTIONS, cascade.SELECTIONS["warm"]))
    monkeypatch.setattr(held_out, "is_held_out", lambda intent: intent.type.head == "milk")
    small_encoder().save_pretrained(tmp_path / "model")
    arguments = [str(write_data(tmp_path)), str(tmp_path / "model"), "--seeds", "2", "--epochs", "1"]
    printed = CliRunner().invoke(cascade.main, arguments, catch_exceptions=False).stdout
    rows = {
        cells[0]: cells[1:] for cells in (line[2:-2].split(" | ") for line in printed.splitlines() if " | " in line)
    }
    assert rows.keys() >= {"random", "Product2Vec", "BM25", "all-MiniLM-L6-v2 as it is", *RECIPES}
    assert rows["Warm->Cas(Adv), two towers"][2:] == ["0.8751", "0.8372"]
    assert len(rows["Cas(Adv) over vanilla Cas"][0].split()) == 2  # a difference for each seed


@pytest.mark.parametrize(("first", "second"), cascade.COMPARISONS)
def test_what_is_compared_is_in_the_table(first, second):
    known = {"Product2Vec", "BM25", "all-MiniLM-L6-v2 as it is", *RECIPES}
    assert {first, second} <= known
