import math

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.duplicates import choose_threshold, score_duplicates
from minitransformer.evaluation.labelled_pairs import LabelledPair, read_labelled_pairs
from tests.small_tables import write_table

COLUMNS = ("first", "second", "same")


def test_precision_recall_and_f1_worked_by_hand():
    """At 0.85 two of three taken are duplicates, and two of four duplicates are taken: F1 = 2 x 2/3 x 1/2 / (7/6)."""
    cosines, truth = np.array([0.95, 0.9, 0.86, 0.8, 0.3]), [True, False, True, True, True]
    score, none = score_duplicates(cosines, truth, [0.85, 0.99])
    assert score == (0.85, pytest.approx(2 / 3), 0.5)
    assert score.f1 == pytest.approx(4 / 7)
    assert math.isnan(none.precision)
    assert (none.recall, none.f1) == (0, 0)


def test_a_threshold_is_measured_on_pairs_that_it_wasnt_chosen_on():
    """What separates all pairs separates both halves; what chance gave is as good as chance."""
    truth = np.arange(40) < 20
    chosen = choose_threshold(np.where(truth, 0.92, 0.78), truth)
    assert chosen == (0.8, 1, 1)
    by_chance = np.random.default_rng(0).uniform(0.5, 1, 400)
    assert choose_threshold(by_chance, np.arange(400) % 2 == 0).precision == pytest.approx(0.5, abs=0.1)


def test_pairs_are_read_with_any_word_for_yes_and_no(tmp_path):
    rows = [("mayo", "mayonnaise", "yes"), ("corn oil", "corn", "0"), ("oj", "orange juice", "TRUE")]
    pairs = read_labelled_pairs(write_table(tmp_path / "pairs.tsv", COLUMNS, rows))
    assert [pair.same for pair in pairs] == [True, False, True]
    assert pairs[0] == LabelledPair("mayo", "mayonnaise", True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "b", "yes"), ("a", "c", "maybe")], "line 3: 'maybe' says neither yes nor no"),
        ([("a", " ", "yes")], "line 2: a text is empty"),
        (3 * [("a", "b", "yes")], "two pairs that mean the same, and one that doesn't; found 3 and 0"),
        ([("a", "b", "no")], "found 0 and 1"),
        ([("a", "b", "yes"), ("a", "c", "no")], "found 1 and 1"),
    ],
)
def test_what_is_wrong_with_a_table_of_pairs_is_said(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        read_labelled_pairs(write_table(tmp_path / "pairs.tsv", COLUMNS, rows))
