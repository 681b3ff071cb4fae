import json

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, BertTokenizer
from minitransformer.training.metrics import read_metrics
from tests import small_tables
from tests.cli.other_process import files_of
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_tables import learning_encoder, write_table

TEXTS = ("text", "label")
GOOD = [("my dog", "dog"), ("he likes", "he"), ("a b", "none")]
KINDS = {  # a table, options, the first measure, how good it must get
    "labelled_texts": ([], "accuracy", 0.8),
    "labelled_pairs": ([], "accuracy", 0.5),
    "multi_labelled_texts": (["--multi-label"], "macro_f1", 0.5),
    "scored_texts": ([], "spearman", 80),
    "scored_pairs": ([], "spearman", 60),
}


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    learning_encoder().save_pretrained(folder)
    return folder


@pytest.fixture
def finetune(run, tmp_path, encoder_folder, without_waiting_for_the_disk):
    """finetune(train table, options, dev=table): the command with a table for both unless told otherwise."""

    def finetune(table, *options, dev=None, out=None, model=encoder_folder):
        tables = ["--train", table, "--dev", dev or table, "--out", out or tmp_path / "out"]
        return run("finetune", model, *tables, "--batch-size", 8, "--epochs", 1, *options)

    return finetune


# -- what it makes -----------------------------------------------------------------------------------------------------

LEARN = ["--epochs", 20, "--learning-rate", "2e-2", "--evaluations-per-epoch", 1]


@pytest.mark.parametrize("kind", KINDS)
def test_it_makes_a_classifier_that_has_learnt_and_predict_is_as_good_as_it_says(run, finetune, tmp_path, kind):
    options, name, enough = KINDS[kind]
    table = getattr(small_tables, kind)(tmp_path / "table.tsv", count=48)
    result = finetune(table, *options, *LEARN)
    assert result.status == 0, result.error
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    assert next(iter(best)) == name
    assert best[name] > enough
    words = ", ".join(f"{measure.replace('_', ' ')} {value:.3f}" for measure, value in best.items())
    assert f"The best model on {table}: {words}\n" in result.output
    assert f"minitransformer predict {tmp_path / 'out'} FILE" in result.output
    predicted = run("predict", tmp_path / "out", table)
    assert predicted.status == 0
    assert predicted.error.endswith(f" examples: {words}\n")
    assert len(predicted.output.splitlines()) == len(table.read_text().splitlines()) - 1


@pytest.mark.parametrize(
    "options",
    [
        ["--freeze-encoder", "--pooling", "mean"],
        ["--freeze-encoder", "--hidden-size", 7, "--hidden-size", 5],
        ["--rate-decay", 0.8],
        ["--pooling", "mean", "--hidden-size", 6],
    ],
)
def test_it_learns_with_a_frozen_encoder_hidden_layers_and_rates_by_depth(finetune, tmp_path, encoder_folder, options):
    table = small_tables.labelled_texts(tmp_path / "table.tsv", count=48)
    assert finetune(table, *options, *LEARN).status == 0
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    lines = [line for line in read_metrics(tmp_path / "out/metrics.jsonl") if "held_out_accuracy" in line]
    assert best["accuracy"] == max(line["held_out_accuracy"] for line in lines) > 0.6
    values = BertForSequenceClassification.from_pretrained(tmp_path / "out").bert.state_dict()
    for name, value in learning_encoder().encoder.state_dict().items():
        if not name.startswith("pooler"):
            assert np.array_equal(values[name], value) == ("--freeze-encoder" in options), name


def test_the_head_and_its_labels_are_in_the_folder(finetune, tmp_path):
    table = small_tables.labelled_texts(tmp_path / "table.tsv")
    finetune(table, "--hidden-size", 7, "--hidden-size", 5, "--dropout", 0.25, "--pooling", "mean", "--max-length", 6)
    settings = BertForSequenceClassification.from_pretrained(tmp_path / "out").settings
    assert settings.labels == small_tables.LABELS
    assert settings.hidden_sizes == (7, 5)
    assert settings.dropout == 0.25
    assert settings.pooling == "mean"
    assert BertTokenizer.from_pretrained(tmp_path / "out").model_max_length == 6


def test_which_columns_it_learns_from_is_said(finetune, tmp_path):
    rows = [("0", "is my dog cute", "he is", "yes"), ("1", "he likes", "my dog", "no")]
    table = write_table(tmp_path / "qnli.tsv", ("index", "question", "sentence", "label"), rows)
    result = finetune(table)
    assert result.status == 0
    assert "Columns: question, sentence, label\n" in result.output
    assert f"Note: {table}: the column index is not used\n" in result.error


def test_a_classifier_can_be_fine_tuned_for_other_labels(finetune, tmp_path):
    assert finetune(small_tables.labelled_texts(tmp_path / "table.tsv")).status == 0
    other = small_tables.multi_labelled_texts(tmp_path / "other.tsv")
    assert finetune(other, "--multi-label", model=tmp_path / "out", out=tmp_path / "second").status == 0
    labels = BertForSequenceClassification.from_pretrained(tmp_path / "second").settings.labels
    assert labels == ("cute", "dog", "he", "other")


def test_long_texts_are_noted(finetune, tmp_path):
    table = write_table(tmp_path / "table.tsv", TEXTS, [*GOOD, ("my dog is cute " * 9, "dog")])
    result = finetune(table)
    assert result.status == 0
    assert f"Note: {table}: 1 of 4 texts are longer than the model's 9 tokens: 29 of 50 tokens" in result.error


def test_labels_that_dev_lacks_are_no_problem(finetune, tmp_path):
    train = write_table(tmp_path / "train.tsv", TEXTS, GOOD)
    assert finetune(train, dev=write_table(tmp_path / "dev.tsv", TEXTS, GOOD[:1])).status == 0


# -- what can't be used ------------------------------------------------------------------------------------------------

BAD_TABLES = {  # header, rows, options, words of the error
    "no header": (GOOD[0], GOOD[1:], [], ["line 1 must be a header", "text label", "found: my dog dog"]),
    "GoEmotions": (
        ("Is this in New Orleans??", "4", "edgurhb"),
        [("You know", "3,4", "ee84bjg")],
        ["--multi-label"],
        ["line 1 must be a header with the columns", "text label", "found: Is this in New Orleans?? 4 edgurhb"],
    ),
    "missing column": (("text", "id"), GOOD, [], ["line 1", "it lacks label"]),
    "one class": (TEXTS, [("a", "x"), ("b", "x")], [], ["all 2 lines have the label 'x'", "at least two"]),
    "fractions as labels": (TEXTS, [("a", "4.6"), ("b", "1")], [], ["numbers such as 4.6", "name the column score"]),
    "unknown labels": (TEXTS, [("a", "0"), ("b", "1"), ("c", "-1")], [], ["-1 stands among", "delete these lines"]),
    "empty text": (TEXTS, [*GOOD, ("", "dog")], [], ["line 5", "'text' is empty", "fill it or delete the line"]),
    "empty label": (TEXTS, [*GOOD, ("a", "")], [], ["line 5", "'label' is empty"]),
    "nan": (("text", "score"), [("a", 1), ("b", "NaN")], [], ["line 3", "'NaN' is not a finite number"]),
    "equal scores": (("text", "score"), [("a", 1), ("b", 1)], [], ["all 2 lines have the score 1"]),
    "scores and labels": (("text", "score"), [("a", 1), ("b", 2)], ["--multi-label"], ["leave out --multi-label"]),
    "comma too many": (TEXTS, [*GOOD, ("a", "dog,")], ["--multi-label"], ["line 5", "an extra comma", "'dog,'"]),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_a_bad_table_is_a_one_line_error_that_says_where_and_leaves_nothing(finetune, tmp_path, kind):
    header, rows, options, words = BAD_TABLES[kind]
    assert_one_line_error(finetune(write_table(tmp_path / "bad.tsv", header, rows), *options), "bad.tsv", *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        (TEXTS, [*GOOD, ("a", "dgo")], ["line 5: the label 'dgo' is none of those", "(dog, he, none)"]),
        (("text", "score"), [("a", 1), ("b", 2)], ["line 1", "it lacks label"]),
        (("sentence1", "sentence2", "label"), [("a", "b", "dog")], ["line 1", "it lacks text"]),
    ],
)
def test_a_dev_table_that_does_not_fit_is_refused_before_training(finetune, tmp_path, header, rows, words):
    train = write_table(tmp_path / "train.tsv", TEXTS, GOOD)
    dev = write_table(tmp_path / "dev.tsv", header, rows)
    assert_one_line_error(finetune(train, dev=dev), "dev.tsv", *words)
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_said(run, finetune, tmp_path, encoder_folder):
    result = run("finetune", encoder_folder, "--dev", "dev.tsv", "--out", tmp_path / "out")
    assert result.status == 2
    assert result.error.endswith("Error: missing: --train (or --resume DIR)\n")
    assert "missing: MODEL, --train, --dev, --out" in run("finetune").error
    table = write_table(tmp_path / "table.tsv", TEXTS, GOOD)
    assert_one_line_error(finetune(table, dev=tmp_path / "none.tsv"), "none.tsv can't be read: No such file")
    assert_one_line_error(finetune(table, model=tmp_path / "none"), "does not exist")
    assert_one_line_error(run("finetune", "--resume", tmp_path), "holds no training run")
    assert not (tmp_path / "out").exists()


def test_an_out_that_holds_a_model_is_refused_and_left_alone(finetune, tmp_path, encoder_folder):
    before = files_of(encoder_folder)
    table = write_table(tmp_path / "table.tsv", TEXTS, GOOD)
    assert_one_line_error(finetune(table, out=encoder_folder), "holds another model", "choose another --out")
    assert files_of(encoder_folder) == before


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--max-length", 1], 1, "max_length is 1"),
        (["--hidden-size", 10**9], 1, "weights"),
        (["--hidden-size", 0], 2, "--hidden-size"),
        (["--dropout", 1], 2, "--dropout"),
        (["--rate-decay", 0], 2, "--rate-decay"),
        (["--pooling", "min"], 2, "--pooling"),
        (["--batch-size", 0], 2, "--batch-size"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_one_line_error(finetune, tmp_path, options, status, words):
    result = finetune(write_table(tmp_path / "table.tsv", TEXTS, GOOD), *options)
    assert result.status == status
    assert words in result.error
    assert result.error.splitlines()[-1].startswith("Error: ")
    assert not (tmp_path / "out").exists()
