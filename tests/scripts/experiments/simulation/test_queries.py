import numpy as np
import pytest

from scripts.experiments.simulation.products import Intent, ProductType
from scripts.experiments.simulation.queries import Parser, Spelling, queries_of_shop
from tests.scripts.experiments.simulation.test_products import FRUITS, shop

ORANGE = ProductType("orange", FRUITS)
SHOP = shop(
    *[(name, FRUITS) for name in ("Navel Oranges", "Organic Navel Oranges", "Orange", "Mandarins", "Mandarin")],
    ("Kale", "greens"),
    baskets=[(0, 1), (0, 2), (3, 5)],
)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("oranges", Intent(ORANGE)),
        ("navel orange", Intent(ORANGE, ("navel",))),
        ("mandarins", Intent(ORANGE, ("mandarin",))),
        ("seedless oranges", None),  # no name has the word
        ("airpods", None),
    ],
)
def test_a_text_is_for_a_type_and_the_words_before_it_if_any_product_has_them(text, intent):
    assert Parser(SHOP).parse(text) == intent


def test_queries_are_as_frequent_as_what_they_want_is_bought():
    queries = queries_of_shop(SHOP, {}, [])
    probability = dict(zip(queries.texts, queries.probabilities, strict=True))
    assert probability.keys() == {"orange", "oranges", "navel oranges", "mandarin"}
    assert probability["oranges"] == pytest.approx(2 * probability["orange"])  # two names say oranges, one says orange
    assert probability["navel oranges"] == pytest.approx(3 * probability["mandarin"])
    assert queries.probabilities.sum() == pytest.approx(1)


def test_ingredients_and_what_people_typed_elsewhere_count_if_the_shop_can_answer_them():
    queries = queries_of_shop(SHOP, {"kale": 30, "saffron": 70}, ["organic navel oranges", "navel piercing"])
    assert {"kale", "organic navel oranges"} <= {*queries.texts}
    assert not {"saffron", "navel piercing"} & {*queries.texts}


def test_a_misspelling_is_one_that_somebody_made():
    spelling = Spelling([("oragne", "orange"), ("ornage", "orange")])
    rng = np.random.default_rng(0)
    assert {spelling.misspell("navel orange", rng) for _ in range(20)} == {"navel oragne", "navel ornage"}
    assert spelling.misspell("kale", rng) == "kale"
