import json
import sqlite3

import pytest

from minitransformer.interop.config_file import CONFIG_FILE
from tests.cli.test_fill_mask import assert_one_line_error
from tests.training.runs.test_translation import write_pairs

SMALL = ["--tokenizer", "characters", "--batch-size", 8, "--max-length", 40]
MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


@pytest.fixture
def tables(tmp_path):
    return write_pairs(tmp_path / "train.tsv"), write_pairs(tmp_path / "dev.tsv", 9, seed=1)


def train(run, tables, out, *options):
    train, dev = tables
    return run("train-seq2seq", "--train", train, "--dev", dev, "--out", out, "--epochs", 2, *SMALL, *options)


@pytest.fixture
def translator(run, tables, tmp_path):
    assert train(run, tables, tmp_path / "model").status == 0
    return tmp_path / "model"


def test_training_makes_a_folder_and_says_how_good_it_is(run, tables, tmp_path):
    result = train(run, tables, tmp_path / "model")
    assert result.status == 0
    assert MODEL_FILES.issubset(path.name for path in (tmp_path / "model").iterdir())
    for words in ("exact match", "BLEU (13a)", "without smoothing", "24 of ", "minitransformer translate"):
        assert words in result.output
    assert not (tmp_path / "model/training/checkpoints").exists()


def test_there_is_a_translation_for_each_line_and_an_empty_one_stays_empty(run, translator, tmp_path):
    (tmp_path / "lines.txt").write_text("red green\n\n  \nblue\n")
    for options in ([], ["--beams", 3], ["--beams", 2, "--length-penalty", 0.5]):
        result = run("translate", translator, tmp_path / "lines.txt", *options)
        assert result.status == 0, result.error
        lines = result.output.split("\n")
        assert len(lines) == 5
        assert lines[1] == lines[2] == ""


def test_an_lstm_translates_by_the_same_command(run, tables, tmp_path):
    assert train(run, tables, tmp_path / "lstm", "--architecture", "lstm").status == 0
    (tmp_path / "lines.txt").write_text("red green\nblue\n")
    result = run("translate", tmp_path / "lstm", tmp_path / "lines.txt", "--beams", 2)
    assert result.status == 0, result.error
    assert len(result.output.split("\n")) == 3


def test_evaluate_translation_gives_the_scores_that_training_ended_with(run, translator, tmp_path):
    best = json.loads((translator / "training/best.json").read_text())
    result = run("evaluate", "translation", translator, tmp_path / "dev.tsv", "--json")
    found = json.loads(result.output)
    assert found["examples"] == 9
    assert {name: found[name] for name in ("exact_match", "chrf", "bleu")} == pytest.approx(
        {name: best[name] for name in ("exact_match", "chrf", "bleu")}
    )
    assert "9 translations" in run("evaluate", "translation", translator, tmp_path / "dev.tsv", "--beams", 2).output


def test_evaluate_sql_runs_what_was_predicted(run, translator, tmp_path):
    with sqlite3.connect(tmp_path / "data.sqlite") as connection:
        connection.execute("CREATE TABLE city (name)")
    connection.close()
    table = tmp_path / "queries.tsv"
    table.write_text("source\ttarget\nred\tSELECT 1\nblue\tSELECT nothing FROM nowhere\n")
    command = ["evaluate", "sql", translator, table, "--database", tmp_path / "data.sqlite"]
    found = json.loads(run(*command, "--json").output)
    assert found == {"exact_match": 0, "execution": 0, "examples": 2, "left_out": 1, "failed": 2}
    assert "of 1 whose expected query runs" in run(*command).output


def test_a_finished_run_is_not_resumed(run, translator):
    assert_one_line_error(run("train-seq2seq", "--resume", translator), "is finished: there is nothing to resume")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("red\nr€d\n", "lines.txt, line 2: the text holds '€'"),
        ("red " * 30, "lines.txt, line 1: the line has 120 tokens, but the model takes 40; shorten it"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(run, translator, tmp_path, text, words):
    (tmp_path / "lines.txt").write_text(text)
    assert_one_line_error(run("translate", translator, tmp_path / "lines.txt"), words)


def test_a_bad_table_database_or_model_is_a_one_line_error(run, translator, tables, tmp_path):
    (tmp_path / "broken.tsv").write_text("question\tanswer\na\tb\n")
    assert_one_line_error(
        train(run, (tmp_path / "broken.tsv", tables[1]), tmp_path / "other"), "lacks source and target"
    )
    command = ["evaluate", "sql", translator, tables[1], "--database"]
    assert_one_line_error(run(*command, tmp_path / "nowhere.sqlite"), "there is no database")
    assert_one_line_error(run(*command, tables[1]), "is not an SQLite database")
    config = json.loads((translator / CONFIG_FILE).read_text())
    (translator / CONFIG_FILE).write_text(json.dumps({**config, "activation_function": "cube"}))
    assert_one_line_error(run("translate", translator, tables[1]), "hidden_act must be one of")


def test_show_translation_has_the_weights_of_what_is_written(run, translator, tables, tmp_path):
    result = run("show", "translation", translator, "red green", "--json")
    assert result.status == 0, result.error
    found = json.loads(result.output)
    assert found["source"] == [*"red␣green", "<|endoftext|>"]
    (tmp_path / "lines.txt").write_text("red green\n")
    written = run("translate", translator, tmp_path / "lines.txt").output.removesuffix("\n")
    assert "".join(found["target"]).removesuffix("<|endoftext|>").replace("␣", " ") == written
    for row in (row for layer in found["weights"] for head in layer for row in head):
        assert sum(row) == pytest.approx(1, abs=1e-5)


def test_show_architecture_of_a_translator(run, translator):
    result = run("show", "architecture", translator, "--json")
    assert result.status == 0, result.error
    assert [block["name"] for block in json.loads(result.output)["blocks"]][:3] == ["embeddings", "encoder", "decoder"]
    assert_one_line_error(run("show", "attention", translator, "red"), "is a translator; `show translation`")


def test_show_translation_of_a_head(run, translator):
    result = run("show", "translation", translator, "red green", "--layer", 1, "--head", 0)
    assert result.status == 0, result.error
    assert "Layer 1, head 0, in hundredths" in result.output
    assert "layer 1, head 0 gives " in result.output.splitlines()[0]
    result = run("show", "translation", translator, "red green", "--head", 99)
    assert_one_line_error(result, "--head is 99, but the model has ")


def test_show_translation_of_no_text_is_a_one_line_error(run, translator):
    assert_one_line_error(run("show", "translation", translator, ""), "the text is empty")


@pytest.mark.parametrize("architecture", ["lstm", "lstm-bahdanau"])
def test_show_translation_takes_an_lstm_with_attention(run, tables, tmp_path, architecture):
    assert train(run, tables, tmp_path / "lstm", "--architecture", architecture).status == 0
    result = run("show", "translation", tmp_path / "lstm", "red", "--json")
    assert result.status == 0, result.error
    found = json.loads(result.output)
    [[rows]] = found["weights"]
    assert (len(rows), len(rows[0])) == (len(found["target"]), len(found["source"]))


def test_show_translation_of_an_lstm_without_attention_is_a_one_line_error(run, tables, tmp_path):
    assert train(run, tables, tmp_path / "lstm", "--architecture", "lstm-without-attention").status == 0
    assert_one_line_error(run("show", "translation", tmp_path / "lstm", "red"), "this LSTM has no attention")
