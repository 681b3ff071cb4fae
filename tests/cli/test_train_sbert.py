import json
import shutil

import numpy as np
import pytest

from minitransformer import Bert, SentenceEncoder
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.training.metrics import read_metrics
from tests import small_tables
from tests.cli.other_process import files_of
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_tables import learning_encoder, write_table

SCORES = ("sentence1", "sentence2", "score")
NLI = ("premise", "hypothesis", "label")


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    learning_encoder().save_pretrained(folder)
    return folder


@pytest.fixture
def train(run, tmp_path, encoder_folder, without_waiting_for_the_disk):
    """train(objective, train table, options, dev=table): the command with a table for both unless told otherwise."""

    def train(objective, table, *options, dev=None, out=None, model=encoder_folder):
        tables = ["--train", table, "--dev", dev or table, "--out", out or tmp_path / "out"]
        return run("train-sbert", model, "--objective", objective, *tables, "--batch-size", 8, *options)

    return train


# -- what it makes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "kind"),
    [
        ("classification", "labelled_pairs"),
        ("regression", "scored_pairs"),
        ("cosent", "scored_pairs"),
        ("ranking", "labelled_pairs"),
        ("triplet", "triplets"),
    ],
)
def test_it_makes_a_sentence_encoder_that_has_learnt_and_says_how_good_it_is(train, tmp_path, objective, kind):
    table = getattr(small_tables, kind)(tmp_path / "table.tsv", count=48)
    result = train(objective, table, "--epochs", 12, "--learning-rate", "5e-3")
    assert result.status == 0, result.error
    assert "parameters" in result.output
    assert f"examples of {table}; epochs: 12" in result.output
    lines = read_metrics(tmp_path / "out/metrics.jsonl")
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    name, value = next(iter(best.items()))
    evaluations = [line[f"held_out_{name}"] for line in lines if f"held_out_{name}" in line]
    assert value == max(evaluations) > evaluations[0]
    assert f"The best model on {table}: {name.replace('_', ' ')} {value:.3f}" in result.output
    assert f"minitransformer similarity {tmp_path / 'out'}" in result.output
    assert SentenceEncoder.from_pretrained(tmp_path / "out").encode("my dog").shape == (12,)
    assert not (tmp_path / "out/training/checkpoints").exists()


def test_the_best_model_is_in_the_folder_and_not_the_last(train, tmp_path):
    """With a learning rate far too large the last evaluation isn't the best one, at least with one of three seeds."""
    table = small_tables.scored_pairs(tmp_path / "table.tsv", count=30)
    dev = small_tables.scored_pairs(tmp_path / "dev.tsv", seed=9)
    ends_worse = []
    for seed in range(3):
        options = ["--epochs", 6, "--learning-rate", "0.1", "--seed", seed]
        result = train("regression", table, *options, dev=dev, out=tmp_path / str(seed))
        lines = read_metrics(tmp_path / str(seed) / "metrics.jsonl")
        scores = [line["held_out_spearman"] for line in lines if "held_out_spearman" in line]
        assert f"The best model on {dev}: spearman {max(scores):.3f}" in result.output
        ends_worse.append(scores[-1] < max(scores))
    assert any(ends_worse)


def test_a_pair_classifier_is_usable_again_by_predict_and_from_python(run, train, tmp_path):
    table = small_tables.labelled_pairs(tmp_path / "nli.tsv")
    result = train("classification", table, "--components", "|u-v|", "--epochs", 3, "--learning-rate", "1e-2")
    assert f"Try its pair classifier: minitransformer predict {tmp_path / 'out'} FILE" in result.output
    network = SiameseNetwork.from_pretrained(tmp_path / "out")
    assert network.objective.components == ("|u-v|",)
    assert network.labels == small_tables.NLI
    result = run("predict", tmp_path / "out", table)
    assert result.status == 0
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    assert f"24 examples: accuracy {best['accuracy']:.3f}" in result.error
    answers = [line.split("\t") for line in result.output.splitlines()]
    probabilities = network.classify([row[2] for row in answers], [row[3] for row in answers])
    assert [row[0] for row in answers] == [network.labels[i] for i in probabilities.argmax(axis=1)]
    np.testing.assert_allclose([float(row[1]) for row in answers], probabilities.max(axis=1), atol=6e-5)


def test_a_plain_bert_gets_mean_pooling_unless_told_otherwise(train, tmp_path, encoder_folder):
    shutil.copytree(encoder_folder, tmp_path / "bert")
    Bert.from_pretrained(encoder_folder).save_pretrained(tmp_path / "bert")
    (tmp_path / "bert/modules.json").unlink()
    table = small_tables.scored_pairs(tmp_path / "table.tsv")
    for options, pooling in (([], "mean"), (["--pooling", "cls"], "cls")):
        assert train("regression", table, *options, model=tmp_path / "bert", out=tmp_path / pooling).status == 0
        assert SentenceEncoder.from_pretrained(tmp_path / pooling).settings.pooling == (pooling,)


def test_what_was_trained_can_be_trained_further_by_another_objective(train, tmp_path):
    nli = small_tables.labelled_pairs(tmp_path / "nli.tsv")
    sts = small_tables.scored_pairs(tmp_path / "sts.tsv")
    assert train("classification", nli).status == 0
    assert train("regression", sts, model=tmp_path / "out", out=tmp_path / "second").status == 0
    assert not (tmp_path / "second/minitransformer_head.json").exists()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(train, tmp_path):
    table = small_tables.labelled_pairs(tmp_path / "nli.tsv")
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        assert train("classification", table, "--seed", seed, out=tmp_path / name).status == 0
    first, again, other = (
        [(tmp_path / name / file).read_bytes() for file in ("model.safetensors", "minitransformer_head.safetensors")]
        for name in ("first", "again", "other")
    )
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_gradient_caching_and_shards_can_be_chosen(train, tmp_path):
    table = small_tables.pairs(tmp_path / "pairs.tsv")
    result = train("ranking", table, "--gradient-caching", "--num-shards", 4, "--symmetric", "--workers", 2)
    assert result.status == 0
    assert "mean reciprocal rank" in result.output
    settings = json.loads((tmp_path / "out/training/settings.json").read_text())
    assert settings["gradient_caching"]
    assert settings["symmetric"]
    assert settings["num_shards"] == 4


# -- what can't be used ------------------------------------------------------------------------------------------------

GOOD = [("my dog", "a b", 1), ("he likes", "my dog", 5), ("a", "b", 2)]
PAIRS = [("my dog", "a b", "entailment"), ("he", "a", "neutral"), ("b", "c", "contradiction")]
BAD_TABLES = {  # header, rows, objective, words of the error
    "no header": (("my dog", "a b", "1"), GOOD, "regression", ["line 1 must be a header", "sentence1 sentence2 score"]),
    "missing column": (SCORES[:2], [row[:2] for row in GOOD], "cosent", ["line 1", "it lacks score"]),
    "labels for regression": (NLI, PAIRS, "regression", ["line 1", "it lacks score"]),
    "scores for classification": (SCORES, GOOD, "classification", ["line 1", "it lacks label"]),
    "pairs for triplet": (SCORES, GOOD, "triplet", ["line 1", "it lacks negative"]),
    "empty field": (SCORES, [*GOOD, ("", "b", 1)], "regression", ["line 5", "'sentence1' is empty", "delete the line"]),
    "too many fields": (
        SCORES,
        [*GOOD, ("a", "b", "c", 1)],
        "regression",
        ["line 5", "expected 3 fields", "found 4"],
    ),
    "nan": (SCORES, [*GOOD, ("a", "b", "nan")], "regression", ["line 5", "'nan' is not a finite number"]),
    "a word as a score": (SCORES, [*GOOD, ("a", "b", "high")], "cosent", ["line 5", "'high' is not a finite number"]),
    "equal scores": (SCORES, [("a", "b", 3)] * 2, "cosent", ["all 2 lines have the score 3"]),
    "all scores 0": (SCORES, [("a", "b", 0)] * 2, "regression", ["all 2 lines have the score 0"]),
    "negative scores": (SCORES, [("a", "b", -1), ("b", "c", -2)], "regression", ["no score is above 0"]),
    "one class": (NLI, [PAIRS[0]] * 3, "classification", ["all 3 lines have the label 'entailment'", "at least two"]),
    "no entailment": (NLI, PAIRS[1:], "ranking", ["no pair has the label 'entailment'", "leave the label column out"]),
    "no lines": (SCORES, [], "regression", ["has a header, but no line after it"]),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_a_bad_table_is_a_one_line_error_that_says_where_and_leaves_nothing(train, tmp_path, kind):
    header, rows, objective, words = BAD_TABLES[kind]
    assert_one_line_error(train(objective, write_table(tmp_path / "bad.tsv", header, rows)), "bad.tsv", *words)
    assert not (tmp_path / "out").exists()


def test_scores_are_nothing_to_rank_by(train, tmp_path):
    result = train("ranking", write_table(tmp_path / "scored.tsv", SCORES, GOOD))
    assert result.status == 1
    assert result.error.splitlines()[0].endswith("scored.tsv: the column score is not used")
    assert "has scores, but ranking takes every pair as belonging together" in result.error
    assert not (tmp_path / "out").exists()


BAD_DEV_TABLES = {
    "unknown label": (NLI, [*PAIRS, ("a", "b", "entailmnt")], "classification", ["line 5", "'entailmnt' is none of"]),
    "equal scores": (SCORES, [("a", "b", 3)] * 2, "classification", ["all 2 lines have the score 3"]),
    "no entailment": (NLI, PAIRS[1:], "ranking", ["no pair has the label 'entailment'"]),
    "single texts": (("text", "label"), [("a", "b")], "classification", ["line 1 must be a header"]),
    "nan": (SCORES, [*GOOD, ("a", "b", "nan")], "ranking", ["line 5", "'nan' is not a finite number"]),
}


@pytest.mark.parametrize("kind", BAD_DEV_TABLES)
def test_a_bad_dev_table_is_refused_before_training(train, tmp_path, kind):
    header, rows, objective, words = BAD_DEV_TABLES[kind]
    good = write_table(tmp_path / "train.tsv", NLI, PAIRS)
    dev = write_table(tmp_path / "dev.tsv", header, rows)
    assert_one_line_error(train(objective, good, dev=dev), "dev.tsv", *words)
    assert not (tmp_path / "out").exists()


def test_a_score_beyond_the_highest_is_refused_with_its_line(train, tmp_path):
    table = write_table(tmp_path / "table.tsv", SCORES, GOOD)
    result = train("regression", table, "--highest-score", 4)
    assert_one_line_error(result, "line 3: the score 5 is beyond the highest one, 4", "--highest-score")
    assert train("regression", table, "--highest-score", 8).status == 0


def test_what_is_missing_is_said(run, train, tmp_path, encoder_folder):
    table = write_table(tmp_path / "table.tsv", SCORES, GOOD)
    result = run("train-sbert", encoder_folder, "--out", tmp_path / "out")
    assert result.status == 2
    assert result.error.endswith("Error: missing: --train, --dev, --objective (or --resume DIR)\n")
    assert "missing: MODEL" in run("train-sbert", "--objective", "triplet").error
    assert_one_line_error(train("regression", tmp_path / "none.tsv"), "none.tsv can't be read: No such file")
    assert_one_line_error(train("regression", tmp_path), "can't be read: Is a directory")
    assert_one_line_error(train("regression", table, model=tmp_path / "none"), "does not exist")
    assert not (tmp_path / "out").exists()


def test_an_out_that_holds_something_is_refused_and_left_alone(train, tmp_path, encoder_folder):
    table = write_table(tmp_path / "table.tsv", SCORES, GOOD)
    before = files_of(encoder_folder)
    assert_one_line_error(train("regression", table, out=encoder_folder), "holds another model", "another --out")
    assert files_of(encoder_folder) == before
    assert_one_line_error(train("regression", table, out=tmp_path), "holds other files")
    assert_one_line_error(train("regression", table, out=table), "is a file")
    assert_one_line_error(train("regression", table, out=table / "below"), "can't be written")
    assert table.read_text().startswith("sentence1")


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--max-length", 2], 1, "max_seq_length is 2"),
        (["--components", "u-v"], 2, "--components"),
        (["--learning-rate", "nan"], 2, "--learning-rate"),
        (["--margin", 0], 2, "--margin"),
        (["--epochs", 0], 2, "--epochs"),
        (["--pooling", "sum"], 2, "--pooling"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_one_line_error(train, tmp_path, options, status, words):
    result = train("regression", write_table(tmp_path / "table.tsv", SCORES, GOOD), *options)
    assert result.status == status
    assert words in result.error
    assert result.error.splitlines()[-1].startswith("Error: ")
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_finite_ends_in_words(train, tmp_path):
    result = train("regression", write_table(tmp_path / "table.tsv", SCORES, GOOD), "--learning-rate", 1e30)
    assert result.status == 1
    assert result.error.startswith("Error: training stopped: in step 1")
    assert result.error.count("\n") == 1
