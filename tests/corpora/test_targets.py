from pathlib import Path

import pytest

from minitransformer.corpora.tables import Table
from minitransformer.corpora.targets import (
    answerable,
    different_scores,
    label_ids,
    label_matrix,
    label_names,
    scores,
    targets_of,
    with_labels,
)
from minitransformer.errors import UserError


def table(column, *fields):
    """As read from a file with a header: the first example stands in line 2."""
    return Table(Path("dev.tsv"), list(range(2, 2 + len(fields))), {column: list(fields)})


def test_labels_are_numbered_in_alphabetical_order():
    labelled = table("label", "neutral", "entailment", "neutral", "contradiction")
    names = label_names(labelled)
    assert names == ("contradiction", "entailment", "neutral")
    assert label_ids(labelled, names).tolist() == [2, 1, 2, 0]


def test_labels_that_are_whole_numbers_are_ordered_as_numbers():
    assert label_names(table("label", "10", "2", "0")) == ("0", "2", "10")


def test_several_labels_of_one_text():
    labelled = table("label", "joy, love", "anger", "love")
    names = label_names(labelled, several=True)
    assert names == ("anger", "joy", "love")
    assert label_matrix(labelled, names).astype(int).tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 1]]


def test_one_class_only_is_refused():
    with pytest.raises(UserError, match=r"dev.tsv: all 2 lines have the label 'joy'; .* at least two"):
        label_names(table("label", "joy", "joy"))


@pytest.mark.parametrize("numbers_of", [label_ids, label_matrix])
def test_a_label_that_training_did_not_have_is_refused_with_its_line(numbers_of):
    with pytest.raises(UserError, match=r"dev.tsv, line 3: the label 'entailmnt' is none of those .*\(no, yes\)"):
        numbers_of(table("label", "yes", "entailmnt"), ("no", "yes"))


def test_a_long_list_of_known_labels_is_cut():
    names = tuple(f"class{i}" for i in range(100))
    with pytest.raises(UserError, match=r"class9, \.\.\.\)"):
        label_ids(table("label", "other"), names)


def test_scores_are_numbers():
    assert scores(table("score", "0", "3.25", "-1e-1")).tolist() == [0, 3.25, -0.1]


@pytest.mark.parametrize("field", ["nan", "inf", "high", "3,5"])
def test_a_score_that_is_no_finite_number_is_refused_with_its_line(field):
    with pytest.raises(UserError, match=f"dev.tsv, line 3: the score '{field}' is not a finite number; correct it"):
        scores(table("score", "1", field))


@pytest.mark.parametrize("field", ["joy,", ",joy", "joy,,love", ","])
def test_a_comma_too_many_is_refused_with_its_line(field):
    labelled = table("label", "anger", field)
    with pytest.raises(UserError, match=f"dev.tsv, line 3: there is an extra comma in the labels '{field}'; delete"):
        label_names(labelled, several=True)
    with pytest.raises(UserError, match="line 3"):
        label_matrix(labelled, ("anger", "joy", "love"))


def test_equal_scores_are_refused_where_an_order_is_needed():
    assert different_scores(table("score", "1", "1", "2")).tolist() == [1, 1, 2]
    with pytest.raises(UserError, match=r"dev.tsv: all 2 lines have the score 0.5; expected different ones"):
        different_scores(table("score", "0.5", "5e-1"))


def test_labels_with_commas_between_them_taken_for_one_are_guessed_at():
    with pytest.raises(UserError, match=r"'joy,love' is none of those .* or use --multi-label if it means several"):
        label_ids(table("label", "joy,love"), ("joy", "love"))


def test_what_the_loss_compares_logits_with_is_what_the_problem_asks_for():
    names = ("anger", "joy")
    assert targets_of(table("label", "joy", "anger"), "single_label_classification", names).tolist() == [1, 0]
    several = targets_of(table("label", "joy", "anger, joy"), "multi_label_classification", names)
    assert several.tolist() == [[False, True], [True, True]]
    assert targets_of(table("score", "1.5", "2"), "regression", ("score",)).tolist() == [[1.5], [2]]


@pytest.mark.parametrize("mark", ["-", "nan", "NULL", "<NA>", "#N/A"])
def test_what_stands_for_no_label_is_left_out_and_said(mark):
    """SNLI has a "-" where its annotators don't agree."""
    with pytest.warns(UserWarning, match=f"dev.tsv: 2 of 4 lines have no label, but '{mark}'; they are left out"):
        labelled = with_labels(table("label", "yes", mark, "no", mark))
    assert labelled.columns["label"] == ["yes", "no"]
    assert labelled.lines == [2, 4]
    with pytest.raises(UserError, match=f"dev.tsv: no line has a label, only '{mark}'"):
        with_labels(table("label", mark, mark))


def test_a_minus_beside_a_plus_is_a_label(recwarn):
    assert with_labels(table("label", "+", "-")).columns["label"] == ["+", "-"]
    assert with_labels(table("score", "1", "2")).columns == {"score": ["1", "2"]}
    assert not recwarn.list


def test_fractions_are_scores_and_no_classes():
    with pytest.raises(
        UserError, match=r"dev.tsv: the labels are numbers such as 1.25, not classes; name the column score"
    ):
        label_names(table("label", "5.0", "4.6", "1.25", "0.0"))
    assert label_names(table("label", "1.0", "0.0")) == ("0.0", "1.0")
    assert label_names(table("label", "4.6", "high")) == ("4.6", "high")


def test_minus_one_among_counted_labels_is_an_unknown_one():
    with pytest.raises(
        UserError, match=r"dev.tsv: -1 stands among the labels 0, 1 .*; delete these lines or, if it is"
    ):
        label_names(table("label", "0", "1", "-1"))
    assert label_names(table("label", "1", "-1")) == ("-1", "1")


def test_a_text_may_have_none_of_several_labels():
    labelled = table("label", "joy", "", "joy,love")
    assert label_names(labelled, several=True) == ("joy", "love")
    assert label_matrix(labelled, ("joy", "love")).astype(int).tolist() == [[1, 0], [0, 0], [1, 1]]
    assert label_names(table("label", "", "joy"), several=True) == ("joy",)


def test_answers_are_compared_where_the_table_has_one_that_can_be_given():
    assert answerable(table("label", "yes", "-1", "", "no"), "single_label_classification", ("no", "yes")) == [0, 3]
    several = table("label", "joy, love", "", "joy,hate")
    assert answerable(several, "multi_label_classification", ("joy", "love")) == [0, 1]
    assert answerable(table("score", "1.5", "", "nan", "x"), "regression", ("score",)) == [0]
