import numpy as np
import pytest

from minitransformer.search.positives import Selection
from scripts.experiments.simulated_log import World
from scripts.experiments.simulation import held_out
from scripts.experiments.simulation.held_out import TOP, Experiment, baselines, best_by_cosine, query_vectors
from scripts.experiments.simulation.queries import Spelling, queries_of_shop
from scripts.experiments.simulation.sessions import simulate
from tests.scripts.experiments.simulation.test_products import FRUITS, shop
from tests.scripts.experiments.simulation.test_sessions import EVERY_RANK, QUIET

SHOP = shop(
    *[(f"{kind} {fruit}", FRUITS) for fruit in ("Oranges", "Apples", "Pears", "Plums") for kind in "abcdef"],
    baskets=[range(24), range(0, 24, 2)],
)
WORLD = World(SHOP, queries_of_shop(SHOP, {}, []), Spelling([]), EVERY_RANK)


def bag_of_letters(texts):
    return np.array([[text.lower().count(letter) for letter in "oranges apples pears plums"] for text in texts], float)


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setattr(held_out, "is_held_out", lambda intent: intent.type.head == "pear")
    log = simulate(*WORLD, QUIET, seed=0)
    return Experiment(WORLD, log, {"all": Selection(), "several": Selection(min_users=2)}, bag_of_letters)


def test_no_positive_has_a_held_out_query(experiment):
    assert experiment.held_out == ["pears"]
    assert len(experiment.queries) == 3
    assert len(experiment.positives["all"]) == experiment.known.sum() >= len(experiment.positives["several"])


def test_what_the_log_knows_as_converted_is_known(experiment):
    queries, products = experiment.positives["all"].T
    assert experiment.known[queries, products].all()


def test_recall_is_of_as_many_right_products_as_fit_and_ndcg_of_the_grades(experiment):
    """Six pears are right; everything else is in the same aisle, which is worth a grade of 1."""
    pears = np.flatnonzero(experiment.grades[0] == 3)
    others = np.flatnonzero(experiment.grades[0] == 1)
    assert (len(pears), len(others)) == (6, 18)
    best = np.concatenate([pears, others])[None, :TOP]
    assert experiment.score(best) == pytest.approx((1, 1))
    recall, ndcg = experiment.score(np.concatenate([others, pears])[None, :TOP])
    assert recall == pytest.approx(2 / 6)
    assert ndcg < 0.8


def test_a_query_that_is_held_out_for_one_seed_is_so_for_all():
    intents = WORLD.queries.intents * 2
    assert [held_out.is_held_out(intent) for intent in intents[:4]] == [held_out.is_held_out(i) for i in intents[4:8]]


def test_the_nearest_are_the_best_whatever_their_lengths():
    ranking = best_by_cosine(np.array([[1.0, 0]]), np.array([[0.0, 5], [0.1, 0], [3, 3]]))
    np.testing.assert_array_equal(ranking, [[1, 2, 0]])


def test_a_word_is_the_mean_of_the_products_that_have_it_and_an_unknown_one_is_nothing():
    vectors = np.eye(24)
    [pears, unknown] = query_vectors(["pears", "kiwis"], SHOP, vectors)
    np.testing.assert_allclose(pears[experiment_places("Pears")], 1 / 6)
    assert not unknown.any()


def experiment_places(fruit):
    return [place for place, product in enumerate(SHOP.products) if fruit in product.name]


def test_each_baseline_ranks_top_products_of_each_query(experiment):
    for name, ranking in baselines(experiment, seed=0).items():
        assert ranking.shape == (1, TOP), name
    assert experiment.score(baselines(experiment, seed=0)["BM25"])[0] == 1
