import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.judgments import read_judgments
from minitransformer.evaluation.search import (
    SearchScores,
    answerable,
    ideal_rankings,
    interval,
    random_rankings,
    score_rankings,
    search_report,
)
from tests.small_tables import write_table

JUDGMENTS = {"milk": {"a": 3.0, "b": 1.0, "c": 0.0, "d": 2.0}}


def scores(found, judgments=JUDGMENTS, right_from=1e-9):
    return [float(values[0]) for values in score_rankings({"milk": found}, judgments, right_from)]


def test_scores_worked_by_hand():
    """Found: c (0), a (3), x (nobody judged it), b (1). d is right and not found.

    DCG    0/log2(2) + 3/log2(3) + 0 + 1/log2(5);  the ideal is 3 + 2/log2(3) + 1/2
    recall 2 of 3;  MRR 1/2;  MAP (1/2 + 2/4 + 0) / 3;  1 of 4 unjudged
    """
    dcg = 3 / np.log2(3) + 1 / np.log2(5)
    ideal = 3 + 2 / np.log2(3) + 1 / 2
    assert scores(["c", "a", "x", "b"]) == pytest.approx([dcg / ideal, 2 / 3, 1 / 2, 1 / 3, 1 / 4])


def test_which_gain_is_right_can_be_said():
    """From 2 on, b is wrong: a at rank 2 is the one of two right ones that is found."""
    assert scores(["c", "a", "x", "b"], right_from=2)[1:4] == pytest.approx([1 / 2, 1 / 2, (1 / 2) / 2])


def test_the_best_order_has_1_and_nothing_found_has_0():
    assert scores(ideal_rankings(JUDGMENTS)["milk"]) == [1, 1, 1, 1, 0]
    assert scores([]) == [0, 0, 0, 0, 0]


def test_queries_without_a_right_product_dont_count():
    assert answerable({**JUDGMENTS, "tea": {"a": 0.0}}, 1e-9) == JUDGMENTS


def test_an_interval_holds_95_of_100_means_and_shrinks_with_more_queries():
    """Against the normal distribution's: 1.96 standard errors on each side."""
    values = np.random.default_rng(0).normal(5, 2, 400)
    low, high = interval(values)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_chance_finds_different_products_and_always_the_same():
    products = [str(number) for number in range(500)]
    found = random_rankings(products, {"a": {}, "b": {}})
    assert found == random_rankings(products, {"a": {}, "b": {}})
    assert found["a"] != found["b"]
    assert len(set(found["a"])) == 100


def test_the_report_compares_the_first_with_the_next_two():
    same = SearchScores(*np.tile([0.5, 0.25], (5, 1)))
    worse = same._replace(ndcg=np.array([0.4, 0.15]))
    lines = search_report({"ours": same, "theirs": worse, "chance": same}).splitlines()
    assert lines[0].split() == ["NDCG@10", "95", "%", "recall@100", "MRR", "MAP", "unjudged@10"]
    assert lines[-2:] == ["ours over theirs: +0.100 (+0.100 to +0.100)", "ours over chance: +0.000 (+0.000 to +0.000)"]


def test_judgments_are_read_with_their_gains(tmp_path):
    rows = [("milk", "7", 3), ("milk", "8", 0), ("tea", "7", 1)]
    table = write_table(tmp_path / "judgments.tsv", ("query", "product_id", "rating"), rows)
    assert read_judgments(table) == {"milk": {"7": 3, "8": 0}, "tea": {"7": 1}}
    assert read_judgments(table, exponential=True) == {"milk": {"7": 7, "8": 0}, "tea": {"7": 1}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("milk", "7", "good")], "line 2: the gain 'good' is not a number"),
        ([("milk", "7", "-1")], "line 2: the gain '-1' is not a number from 0"),
        ([("milk", "7", "nan")], "line 2: the gain 'nan'"),
        ([("milk", "7", "1"), ("milk", "7", "2")], "line 3: '7' was judged for 'milk' before"),
    ],
)
def test_judgments_that_say_nothing_are_refused(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        read_judgments(write_table(tmp_path / "judgments.tsv", ("query", "product_id", "gain"), rows))
