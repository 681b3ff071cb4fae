import gzip
import io
import json
import sys
import types

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, ClassifierSettings
from minitransformer.cli import _arguments
from minitransformer.cli import predict as module
from minitransformer.inference.prediction import load_predictor
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_encoders import POSITIONS, TOKENIZER, small_encoder
from tests.small_models import randomise, small_config
from tests.small_tables import write_table

TEXTS = ["my dog", "", "he likes playing"]
LABELS = ("no", "maybe", "yes")
PAIRS = [("my dog", "a b"), ("he", "b c"), ("a", "he is")]


def write_classifier(folder, problem_type, labels):
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=POSITIONS)
    model = BertForSequenceClassification(config, ClassifierSettings(labels, problem_type))
    randomise(model, std=0.5).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder for each problem, with random weights."""
    return {
        "single": write_classifier(tmp_path_factory.mktemp("single"), "single_label_classification", LABELS),
        "multi": write_classifier(tmp_path_factory.mktemp("multi"), "multi_label_classification", LABELS),
        "regression": write_classifier(tmp_path_factory.mktemp("regression"), "regression", ("score",)),
    }


def expected_lines(folder, *columns):
    """What must be printed for columns of texts, from the predictor's scores."""
    predictor = load_predictor(folder)
    lines = []
    for row, *texts in zip(predictor.scores(columns), *columns, strict=True):
        if predictor.problem_type == "regression":
            answer = [f"{row[0]:.4f}"]
        elif predictor.problem_type == "single_label_classification":
            answer = [predictor.labels[row.argmax()], f"{row.max():.4f}"]
        else:
            chosen = [i for i in range(3) if row[i] > 0.5]
            answer = [",".join(LABELS[i] for i in chosen), ",".join(f"{row[i]:.4f}" for i in chosen)]
        lines.append("\t".join([*answer, *texts]))
    return lines


every_problem = pytest.mark.parametrize("problem", ["single", "multi", "regression"])


@every_problem
@pytest.mark.parametrize("name", ["lines.txt", "lines.txt.gz"])
def test_each_line_of_a_file_has_an_answer_and_its_text(run, tmp_path, models, problem, name):
    text = "\n".join(TEXTS).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    result = run("predict", models[problem], tmp_path / name)
    assert (result.status, result.error) == (0, "")
    assert result.output.splitlines() == expected_lines(models[problem], TEXTS)


@every_problem
def test_two_texts_with_a_tab_between_them_are_a_pair(run, tmp_path, models, problem):
    (tmp_path / "pairs.txt").write_text("\n".join("\t".join(pair) for pair in PAIRS))
    result = run("predict", models[problem], tmp_path / "pairs.txt")
    assert result.output.splitlines() == expected_lines(models[problem], *map(list, zip(*PAIRS, strict=True)))


def test_standard_input_is_read_in_blocks(run, monkeypatch, models):
    monkeypatch.setattr(module, "LINES_AT_ONCE", 2)
    stream = types.SimpleNamespace(buffer=io.BytesIO("\r\n".join(TEXTS).encode()))
    for file in ([], ["-"]):
        stream.buffer.seek(0)
        monkeypatch.setattr(sys, "stdin", stream)
        result = run("predict", models["single"], *file)
        assert result.output.splitlines() == expected_lines(models["single"], TEXTS)


@every_problem
def test_a_table_is_read_by_its_header(run, tmp_path, monkeypatch, models, problem):
    monkeypatch.setattr(module, "LINES_AT_ONCE", 2)
    table = write_table(tmp_path / "table.tsv", ("id", "text"), [(1, "my dog"), (2, "he"), (3, "a b")])
    result = run("predict", models[problem], table)
    assert (result.status, result.error) == (0, f"Note: {table}: the column id is not used\n")
    assert result.output.splitlines() == expected_lines(models[problem], ["my dog", "he", "a b"])
    table = write_table(tmp_path / "pairs.tsv", ("premise", "hypothesis"), PAIRS)
    result = run("predict", models[problem], table)
    assert result.output.splitlines() == expected_lines(models[problem], *map(list, zip(*PAIRS, strict=True)))


@pytest.mark.parametrize("name", ["lines.txt", "table.tsv"])
def test_on_a_terminal_the_progress_is_shown_while_the_answers_go_to_a_file(run, tmp_path, monkeypatch, models, name):
    texts = ["my dog", "he likes playing", "a b c"]
    write_table(tmp_path / name, ("text",) if name == "table.tsv" else ("is",), [(text,) for text in texts])
    monkeypatch.setattr(module, "LINES_AT_ONCE", 2)
    assert run("predict", models["single"], tmp_path / name).error == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = run("predict", models["single"], tmp_path / name)
    total = len(texts) + (name == "lines.txt")
    assert f"{total}/{total}" in shown.error
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("predict", models["single"], tmp_path / name).error == ""


def test_how_many_labels_are_right_is_said_on_standard_error(run, tmp_path, models):
    """Every label is given as the model says, but the last."""
    texts = ["my dog", "he likes playing", "a b c", "is cute"]
    answers = [line.split("\t")[0] for line in expected_lines(models["single"], texts)]
    answers[-1] = next(label for label in LABELS if label != answers[-1])
    table = write_table(tmp_path / "table.tsv", ("text", "label"), zip(texts, answers, strict=True))
    result = run("predict", models["single"], table)
    assert result.output.splitlines() == expected_lines(models["single"], texts)
    assert result.error.startswith("4 examples: accuracy 0.750, macro f1 ")
    assert result.error.count("\n") == 1


def test_how_near_the_numbers_are_is_said_on_standard_error(run, tmp_path, models):
    predicted = [float(line.split("\t")[0]) for line in expected_lines(models["regression"], ["my dog", "he", "a b"])]
    rows = zip(["my dog", "he", "a b"], [x + d for x, d in zip(predicted, (1, -1, 2), strict=True)], strict=True)
    result = run("predict", models["regression"], write_table(tmp_path / "table.tsv", ("text", "score"), rows))
    assert result.error.startswith("3 examples: spearman ")
    assert result.error.endswith("mean squared error 2.000\n")


def test_several_labels_are_compared_with_those_above_one_half(run, tmp_path, models):
    texts = ["my dog", "he likes playing", "a b c", "is cute", "he", "likes"]
    answers = [line.split("\t")[0] for line in expected_lines(models["multi"], texts)]
    rows = [(text, answer) for text, answer in zip(texts, answers, strict=True) if answer]
    result = run("predict", models["multi"], write_table(tmp_path / "table.tsv", ("text", "label"), rows))
    assert f"{len(rows)} examples: macro f1 " in result.error
    assert "micro f1 1.000, accuracy 1.000" in result.error


def test_labels_of_a_regression_and_scores_of_a_classifier_do_not_count(run, tmp_path, models):
    scored = write_table(tmp_path / "scored.tsv", ("text", "score"), [("my dog", 1), ("a b", 2)])
    labelled = write_table(tmp_path / "labelled.tsv", ("text", "label"), [("my dog", "yes"), ("a b", "no")])
    for problem, table in (("single", scored), ("multi", scored), ("regression", labelled)):
        result = run("predict", models[problem], table)
        assert result.status == 0
        assert result.error.count("\n") == 1
        assert "is not used" in result.error
        assert result.output.splitlines() == expected_lines(models[problem], ["my dog", "a b"])


@pytest.mark.parametrize("label", ["-1", "", "ys"])
def test_answers_need_no_labels(run, tmp_path, models, label):
    """GLUE's test parts have -1 for every label, others nothing."""
    table = write_table(tmp_path / "table.tsv", ("text", "label"), [("my dog", label), ("he", label)])
    result = run("predict", models["single"], table)
    assert (result.status, result.output.splitlines()) == (0, expected_lines(models["single"], ["my dog", "he"]))
    assert result.error == (
        f"Note: {table}: 2 of 2 examples have a target that isn't one of the model's; they are not measured\n"
    )


def test_what_has_a_label_of_the_model_is_measured(run, tmp_path, models):
    [yes] = expected_lines(models["single"], ["my dog"])
    table = write_table(tmp_path / "table.tsv", ("text", "label"), [("my dog", yes.split("\t")[0]), ("he", "-1")])
    result = run("predict", models["single"], table)
    assert "1 of 2 examples have a target" in result.error
    assert "1 examples: accuracy 1.000" in result.error


def test_a_table_on_standard_input_has_the_answers_of_the_file(run, tmp_path, monkeypatch, models):
    table = write_table(tmp_path / "table.tsv", ("text", "label"), [("my dog", "yes"), ("he", "no")])
    from_file = run("predict", models["single"], table)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(table.read_bytes())))
    from_input = run("predict", models["single"])
    assert (from_input.output, from_input.error) == (from_file.output, from_file.error)


def test_a_csv_table_is_read_like_any_other(run, tmp_path, models):
    (tmp_path / "table.csv").write_text('label,text\nyes,"my dog, he"\nno,he\n')
    result = run("predict", models["single"], tmp_path / "table.csv")
    assert result.output.splitlines() == expected_lines(models["single"], ["my dog, he", "he"])
    assert "is read as CSV, with ',' between the fields" in result.error
    assert "2 examples: accuracy" in result.error


def test_every_label_can_be_asked_for_the_most_probable_first(run, tmp_path, models):
    (tmp_path / "lines.txt").write_text("my dog")
    scores = load_predictor(models["single"]).scores((["my dog"],))[0]
    labels, probabilities, text = run("predict", models["single"], tmp_path / "lines.txt", "--all").output.split("\t")
    assert labels.split(",") == [LABELS[i] for i in np.argsort(-scores)]
    assert [float(p) for p in probabilities.split(",")] == pytest.approx(sorted(scores, reverse=True), abs=6e-5)
    assert text == "my dog\n"


@pytest.mark.parametrize(
    ("problem", "answer", "numbers"),
    [("single", "label", "probabilities"), ("multi", "labels", "probabilities"), ("regression", None, "scores")],
)
def test_an_answer_as_json_has_every_number_by_its_name(run, tmp_path, models, problem, answer, numbers):
    (tmp_path / "lines.txt").write_text('my "dog"\tcute')
    [line] = run("predict", models[problem], tmp_path / "lines.txt", "--json").output.splitlines()
    found = json.loads(line)
    predictor = load_predictor(models[problem])
    scores = predictor.scores((['my "dog"'], ["cute"]))[0]
    assert found.pop("texts") == ['my "dog"', "cute"]
    assert found.pop(numbers) == pytest.approx(dict(zip(predictor.labels, scores.tolist(), strict=True)), rel=1e-5)
    if problem == "single":
        assert found.pop(answer) == LABELS[scores.argmax()]
    elif problem == "multi":
        assert found.pop(answer) == [LABELS[i] for i in range(3) if scores[i] > 0.5]
    assert not found


def test_what_was_cut_off_is_said(run, tmp_path, models):
    (tmp_path / "lines.txt").write_text("my dog\n" + "my dog is cute " * 5)
    result = run("predict", models["single"], tmp_path / "lines.txt")
    assert result.status == 0
    assert "Note: 1 of 2 texts are longer than the model's 9 tokens: 13 of 26 tokens were cut off" in result.error


def test_of_a_line_without_end_the_beginning_is_read_and_that_is_said(run, tmp_path, monkeypatch, models):
    monkeypatch.setattr(_arguments, "LONGEST_TEXT", 10)
    (tmp_path / "lines.txt").write_text("a b\nmy dog is cute\n")
    result = run("predict", models["single"], tmp_path / "lines.txt")
    assert result.output.splitlines() == expected_lines(models["single"], ["a b", "my dog is"])
    assert "line 2: the first 10 of its 14 characters are read, more than any model takes\n" in result.error


def test_tabs_and_line_breaks_in_a_text_break_no_line_of_the_output(run, tmp_path, models):
    (tmp_path / "table.tsv").write_text('text\tlabel\n"my\tdog\nis"\tyes\n')
    result = run("predict", models["single"], tmp_path / "table.tsv")
    assert [line.split("\t")[2] for line in result.output.splitlines()] == ["my dog is"]


def test_no_lines_have_no_answers(run, tmp_path, models):
    (tmp_path / "empty.txt").touch()
    assert run("predict", models["single"], tmp_path / "empty.txt") == (0, "", "")


# -- what can't be used ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("my dog\nhe\tlikes\n", "line 2: expected as many texts as in line 1 (1), found 2"),
        ("my dog\tis\ncute\n", "line 2: expected as many texts as in line 1 (2), found 1"),
        ("my dog\tis\tcute\n", "line 1: expected one or two texts, found 3"),
        ("review\tsentiment\nmy dog\t1\n", "line 1 looks like a header, but has neither the column text nor"),
        ("review,sentiment\nmy dog,1\n", "line 1 looks like a header, but has neither the column text nor"),
    ],
)
def test_lines_with_unequal_numbers_of_tabs_are_refused_with_their_number(run, tmp_path, models, text, words):
    (tmp_path / "lines.txt").write_text(text)
    assert_one_line_error(run("predict", models["single"], tmp_path / "lines.txt"), "lines.txt", words)


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        (("text", "label"), [("a", "yes"), ("", "no")], "line 3: the field 'text' is empty"),
        (
            ("text", "label"),
            [("a", "yes"), ("b",)],
            "line 3: expected 2 fields as in the header, found 1",
        ),
    ],
)
def test_a_bad_table_is_refused_with_its_line_before_anything_is_printed(run, tmp_path, models, header, rows, words):
    table = write_table(tmp_path / "table.tsv", header, rows)
    assert_one_line_error(run("predict", models["single"], table), "table.tsv", words)


def test_what_is_missing_is_said(run, tmp_path, models):
    assert_one_line_error(run("predict", models["single"], tmp_path / "none"), "none can't be read: No such file")
    assert_one_line_error(run("predict", tmp_path / "none"), "does not exist")
    assert run("predict").status == 2
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9\n")
    assert_one_line_error(run("predict", models["single"], tmp_path / "latin1.txt"), "line 1: byte 4")


def test_a_model_without_a_classifier_is_refused_with_what_makes_one(run, tmp_path):
    small_encoder().save_pretrained(tmp_path / "encoder")
    (tmp_path / "lines.txt").write_text("my dog")
    result = run("predict", tmp_path / "encoder", tmp_path / "lines.txt")
    assert_one_line_error(result, "has no classifier", "minitransformer finetune", "train-sbert")


def test_an_answer_is_the_label_the_labels_or_the_number():
    """By hand: the largest, those above one half (perhaps none), the number."""
    scores = np.array([0.6, 0.2, 0.7])

    def answer(problem_type, scores):
        return module.answer_line(module.Predictor(LABELS, problem_type, None, None, None), scores, ["a text"])

    assert answer("single_label_classification", scores) == "yes\t0.7000\ta text"
    assert answer("multi_label_classification", scores) == "no,yes\t0.6000,0.7000\ta text"
    assert answer("multi_label_classification", scores / 2) == "\t\ta text"
    assert answer("regression", scores[:1]) == "0.6000\ta text"
