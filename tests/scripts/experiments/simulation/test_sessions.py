"""Customers of a very small shop, each part of their behaviour switched on or off."""

from collections import Counter

import numpy as np
import pytest

from scripts.experiments.simulation.queries import Spelling, queries_of_shop
from scripts.experiments.simulation.sessions import HABIT, PAGE, ROW, Customers, simulate
from tests.scripts.experiments.simulation.test_products import FRUITS, shop

QUIET = Customers(
    **{"sessions": 400, "users": 50, "out_of_stock": 0.0, "shuffled": 0.0, "misspelt": 0.0},
    **{"basket_noise": 0.0, "with_row": 0.0, "habits": 0, "bot": 0},
)
ORANGES = [(f"{word} Oranges", FRUITS) for word in ("Navel", "Blood", "Seville")]
SHOP = shop(*ORANGES, ("Bananas", FRUITS), ("Orange Juice", "juice"), baskets=[(0, 1, 3), (0, 3), (2, 3), (1, 4)])
EVERY_RANK = np.ones(PAGE)


def log(examination=EVERY_RANK, spelling=(), seed=0, **changed):
    queries = queries_of_shop(SHOP, {}, [])
    return simulate(SHOP, queries, Spelling(spelling), examination, QUIET._replace(**changed), seed)


def conversions(events):
    return [simulated for simulated in events if simulated.event.action == "add_to_cart"]


def test_quiet_customers_see_what_has_a_word_of_their_query_and_take_the_right_things():
    found = log()
    assert {simulated.event.action for simulated in found} == {"impression", "click", "add_to_cart"}
    assert not any(simulated.noise for simulated in found)
    taken = Counter(simulated.grade for simulated in conversions(found))
    assert taken[3] > 10 * taken[0]  # the juice is shown for "oranges", too


def test_what_nobody_looks_at_is_not_clicked():
    first_only = np.array([1.0] + [0.0] * (PAGE - 1))
    found = log(examination=first_only)
    assert {simulated.event.position for simulated in found if simulated.event.action == "click"} == {1}
    assert all(simulated.examined == (simulated.event.position == 1) for simulated in found)


def test_noise_comes_out_of_baskets_with_what_was_taken():
    noise = [simulated for simulated in conversions(log(basket_noise=1.0)) if simulated.noise == "basket"]
    assert {simulated.event.position for simulated in noise} == {None}
    assert "3" in {simulated.event.product_id for simulated in noise}  # bananas, after a search for oranges


def test_a_row_under_the_results_offers_what_is_often_bought_with_it():
    found = log(with_row=1.0, basket_noise=1.0)
    offered = [simulated.event for simulated in found if simulated.noise and simulated.event.action == "impression"]
    assert {event.position for event in offered} == {PAGE + 1 + place for place in range(ROW)}
    taken = [simulated.event for simulated in conversions(found) if simulated.noise]
    assert {event.position for event in taken} == {PAGE + 1}


def test_habits_and_the_bot_are_marked():
    noise = Counter(simulated.noise for simulated in conversions(log(habits=2, bot=30)))
    assert noise["habit"] == 2 * HABIT
    assert noise["bot"] == 30


def test_a_misspelt_query_is_logged_as_it_was_typed_and_known_as_it_was_meant():
    found = log(spelling=[("oragnes", "oranges")], misspelt=1.0)
    meant = {simulated.text for simulated in found if simulated.event.query == "oragnes"}
    assert meant == {"oranges"}


def test_a_log_is_a_function_of_its_seed():
    assert log(seed=1) == log(seed=1) != log(seed=2)


@pytest.mark.parametrize("events", [log(), log(with_row=1.0, habits=1, bot=5)])
def test_a_log_is_in_the_order_of_time(events):
    times = [simulated.event.time for simulated in events]
    assert times == sorted(times)
