"""train-towers: from a log and products to a model that `index` takes, and all that reads a sentence encoder."""

import json
import re
import signal

import numpy as np
import pytest

from minitransformer import ProductIndex, SentenceEncoder
from minitransformer.models.two_towers import TwoTowers
from tests.cli.other_process import HOW_LONG, in_another_process, number_of_lines, wait_for
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_shop import products_table
from tests.training.small_towers import log_table, saved_encoder

SMALL = ["--batch-size", 6, "--learning-rate", "1e-2", "--embedding-size", 5, "--evaluations-per-epoch", 1]


@pytest.fixture
def given(tmp_path):
    log, products = log_table(tmp_path / "log.tsv"), products_table(tmp_path / "products.tsv")
    return [saved_encoder(tmp_path / "encoder"), "--log", log, "--products", products, *SMALL]


@pytest.fixture
def towers(run, given, tmp_path):
    result = run("train-towers", *given, "--out", tmp_path / "towers")
    assert result.status == 0, result.error
    return tmp_path / "towers"


def test_it_says_what_it_learns_from_and_how_well_it_finds_what_it_has_not_seen(run, given, tmp_path):
    result = run("train-towers", *given, "--out", tmp_path / "towers")
    lines = result.output.splitlines()
    assert lines[1] == "42 events, among them 42 conversions of 16 pairs of 8 queries and 7 products"
    assert "Warm-up: 14 positives; epochs: 2, steps: 6 of 6 pairs; one encoder for both" in result.output
    assert "Cascade: 19 positives; epochs: 2" in result.output
    assert "Held-out queries: 1; their products are to be found among 7" in result.output
    assert "On the held-out queries:\nBefore: recall at 20 1.000, mean reciprocal rank" in result.output
    assert f"Saved to {tmp_path / 'towers'}. Try: minitransformer index {tmp_path / 'products.tsv'}" in result.output


def test_queries_made_from_columns_can_be_learnt_as_well(run, given, tmp_path):
    options = ["--synthetic-share", 0.2, "--synthetic-columns", "department", "--warm-up-epochs", 0]
    result = run("train-towers", *given, *options, "--out", tmp_path / "towers")
    assert (result.status, result.error) == (0, "")
    assert re.search(r"\d+ positives, \d+ of them different, and \d with synthetic queries\n", result.output)


def test_an_index_embeds_products_with_one_tower_and_queries_with_the_other(run, towers, tmp_path):
    result = run("index", tmp_path / "products.tsv", "--model", towers, "--out", tmp_path / "shop")
    assert result.status == 0, result.error
    shop, model = ProductIndex.open(tmp_path / "shop"), TwoTowers.from_pretrained(towers)
    hits = {hit.name: hit.cosine for hit in shop.search("milk", meaning=1)}
    [query], names = model.query.encode(["milk"]), [*hits]
    products = model.product.encode(names)
    cosines = products @ query / np.linalg.norm(products, axis=1) / np.linalg.norm(query)
    np.testing.assert_allclose([hits[name] for name in names], cosines, atol=1e-5)
    assert run("search", tmp_path / "shop", "chocolate milk", "--json").status == 0


def test_commands_that_take_one_encoder_say_once_that_it_is_the_query_tower(run, towers):
    result = run("similarity", towers, "milk", "chocolate milk")
    assert result.status == 0
    other = f"that for products is in {towers / 'product'}"
    assert result.error == f"Note: {towers} has two towers, and this is the one for queries; {other}\n"


@pytest.mark.filterwarnings("ignore:.* has two towers")
def test_suggestions_are_deduplicated_by_the_query_tower(run, towers, tmp_path):
    shop, query_tower = tmp_path / "shop", SentenceEncoder.from_pretrained(towers)
    assert run("index", tmp_path / "products.tsv", "--model", towers, "--out", shop).status == 0
    found = json.loads(run("suggest", shop, "b", "--same-meaning", "0", "--json").output)["suggestions"]
    hidden = [(suggestion["text"], other) for suggestion in found for other in suggestion["hides"]]
    assert hidden
    for text, other in hidden:
        cosine = query_tower.similarity(text, other["text"])[0, 0]
        assert other["cosine"] == pytest.approx(cosine, abs=1e-5)


def test_the_warm_ups_model_can_be_indexed_as_well(run, towers, tmp_path):
    result = run("index", tmp_path / "products.tsv", "--model", towers / "warm-up", "--out", tmp_path / "shop")
    assert (result.status, result.error) == (0, "")


def test_an_index_of_dot_product_towers_says_that_it_compares_by_cosines(run, given, tmp_path):
    assert run("train-towers", *given, "--score", "dot", "--out", tmp_path / "towers").status == 0
    result = run("index", tmp_path / "products.tsv", "--model", tmp_path / "towers", "--out", tmp_path / "shop")
    assert result.status == 0
    assert "Note: the model was trained for dot products, and an index compares by cosines" in result.error


@pytest.mark.parametrize("step", ["warm-up", "cascade"])
def test_ctrl_c_in_either_step_and_resume_end_with_the_bytes_of_a_run_never_stopped(given, tmp_path, step):
    long, short = ("--warm-up-epochs", "--cascade-epochs")[:: 1 if step == "warm-up" else -1]
    epochs = [long, 60, short, 1]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    watched = stopped / ("warm-up/metrics.jsonl" if step == "warm-up" else "metrics.jsonl")
    unhindered = in_another_process("train-towers", *given, *epochs, "--out", whole)
    process = in_another_process("train-towers", *given, *epochs, "--out", stopped)
    wait_for(lambda: number_of_lines(watched) >= 5)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 130, error
    assert f"Resume with: minitransformer train-towers --resume {stopped}" in output
    resumed = in_another_process("train-towers", "--resume", stopped)
    for finished in (unhindered, resumed):
        _, error = finished.communicate(timeout=HOW_LONG)
        assert finished.returncode == 0, error
    weights = {file.relative_to(whole): file.read_bytes() for file in whole.rglob("*.safetensors")}
    assert len(weights) == 8  # BERT, projection and score of the warm-up, and for products the first two again
    assert weights == {file.relative_to(stopped): file.read_bytes() for file in stopped.rglob("*.safetensors")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda given: given[1:], ["missing: MODEL"]),
        (lambda given: [*given, "--weights", "none"], ["'none' is not one of"]),
        (lambda given: [*given, "--keep-top", "0"], ["0.0 is not in the range"]),
    ],
)
def test_a_wrong_command_line_is_refused(run, given, tmp_path, change, words):
    result = run("train-towers", *change(given), "--out", tmp_path / "towers")
    assert result.status == 2
    assert all(word in result.error for word in words)


def test_a_log_without_a_conversion_is_one_line(run, given, tmp_path):
    (tmp_path / "log.tsv").write_text("query\tproduct_id\tuser\taction\nmilk\t23\tu\timpression\n")
    result = run("train-towers", *given, "--out", tmp_path / "towers")
    assert_one_line_error(result, "impression")
    assert not (tmp_path / "towers").exists()
