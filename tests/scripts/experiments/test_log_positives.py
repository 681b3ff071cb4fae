import pytest
from click.testing import CliRunner

from minitransformer.search.evidence import Evidence, Pair
from scripts.experiments import log_positives, simulated_log
from scripts.experiments.log_positives import Filter, score
from tests.scripts.experiments.simulation.small_data import write_data
from tests.scripts.experiments.test_simulated_log import FEW

NAVEL, BLOOD, BANANA, MILK = (Pair("orange", product) for product in ("navel", "blood", "banana", "milk"))
EVIDENCE = {
    NAVEL: Evidence(count=6, users=4, shown=20, lift=9.0),
    BLOOD: Evidence(count=1, users=1, shown=9, lift=9.0),
    BANANA: Evidence(count=2, users=2, shown=3, lift=1.2),
    MILK: Evidence(count=1, users=1, shown=0, lift=0.4),
}
RIGHT = {NAVEL, BLOOD, Pair("orange", "never bought")}


def test_precision_and_recall_by_pairs_and_by_conversions():
    """Two users keep navel oranges (right, 6 conversions) and bananas (wrong, 2), and lose the blood oranges."""
    found = score(Filter(users=2)(EVIDENCE), EVIDENCE, RIGHT)
    assert found == pytest.approx((2, 1 / 2, 1 / 2, 6 / 8, 6 / 7))


def test_a_filter_keeps_what_reaches_all_its_thresholds():
    assert {*Filter()(EVIDENCE)} == {*EVIDENCE}
    assert {*Filter(shown=5, lift=3)(EVIDENCE)} == {NAVEL, BLOOD}
    assert {*Filter(keep_top=0.5)(EVIDENCE)} == {NAVEL, BANANA}
    assert {*Filter(keep_top=0.5, measure="lift")(EVIDENCE)} == {NAVEL, BLOOD}


def test_a_filter_says_what_it_asks_for():
    assert str(Filter()) == "every conversion"
    assert str(Filter(shown=5, lift=3)) == "shown 5 times, lift 3"
    assert str(Filter(users=2, keep_top=0.5, measure="rate")) == "2 users, the best 50% by rate"


def test_the_command_prints_a_row_for_each_filter(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_log, "MIN_PURCHASES", 1)
    monkeypatch.setattr(simulated_log, "CUSTOMERS", FEW)
    arguments = [str(write_data(tmp_path)), "--seeds", "2"]
    printed = CliRunner().invoke(log_positives.main, arguments, catch_exceptions=False).stdout
    every, *filtered = (line.split(" | ") for line in printed.splitlines()[4:])
    assert every[3] == every[5].strip(" |") == "1.000"  # every conversion keeps every right one
    assert len(filtered) == len(log_positives.FILTERS) - 1
