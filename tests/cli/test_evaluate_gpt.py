import json
import math

import pytest

from tests.cli.conftest import small_text
from tests.cli.test_fill_mask import assert_one_line_error
from tests.cli.test_pretrain_gpt import MODEL_FILES, pretrain_gpt


@pytest.fixture
def gpt_folder(run, text_file, tmp_path):
    pretrain_gpt(run, text_file, tmp_path / "gpt")
    return tmp_path / "gpt"


@pytest.fixture
def other_text(tmp_path):
    (tmp_path / "other.txt").write_text(small_text(num_documents=9, seed=5))
    return tmp_path / "other.txt"


def evaluate(run, *arguments):
    result = run("evaluate", "gpt", *arguments, "--json")
    assert result.status == 0, result.error
    return json.loads(result.output)


def test_without_a_file_a_model_gets_the_scores_that_its_training_ended_with(run, gpt_folder):
    from minitransformer.training.metrics import read_metrics

    last = [line for line in read_metrics(gpt_folder / "metrics.jsonl") if "held_out_nats_per_token" in line][-1]
    found = evaluate(run, gpt_folder)
    assert found["nats_per_token"] == pytest.approx(last["held_out_nats_per_token"])
    assert found["counted_on"] == "the training text"
    assert f"{found['nats_per_character']:.3f}" in run("evaluate", "gpt", gpt_folder).output


def test_a_text_is_measured_beside_what_was_counted_in_the_training_text(run, gpt_folder, other_text):
    found = evaluate(run, gpt_folder, other_text)
    assert found["counted_on"] == "the training text"
    assert found["characters"] == len(other_text.read_text())
    assert found["tokens"] == found["characters"]
    assert found["perplexity"] == pytest.approx(math.exp(found["nats_per_token"]))
    assert 1 <= found["ngram_order"] <= 7
    assert found["ngram_per_character"] < found["unigram_per_token"] < found["uniform_per_token"]


def test_a_model_without_its_training_text_is_measured_on_the_last_tenth(run, gpt_folder, other_text, tmp_path):
    (tmp_path / "alone").mkdir()
    for name in MODEL_FILES:
        (tmp_path / "alone" / name).write_bytes((gpt_folder / name).read_bytes())
    found = evaluate(run, tmp_path / "alone", other_text)
    assert found["counted_on"] == "the first nine tenths of FILE"
    assert found["characters"] == pytest.approx(len(other_text.read_text()) / 10, abs=1)
    assert_one_line_error(run("evaluate", "gpt", tmp_path / "alone"), "no training run", "name a text")


def test_unknown_characters_and_texts_too_short_are_one_line_errors(run, gpt_folder, tmp_path):
    (tmp_path / "unknown.txt").write_text("the dog sees a Käse")
    assert_one_line_error(run("evaluate", "gpt", gpt_folder, tmp_path / "unknown.txt"), "'K' (U+004B")
    (tmp_path / "empty.txt").write_text("")
    assert_one_line_error(run("evaluate", "gpt", gpt_folder, tmp_path / "empty.txt"), "is empty")


def test_an_encoder_is_refused_by_name(run, model_folder, other_text):
    assert_one_line_error(run("evaluate", "gpt", model_folder, other_text), str(model_folder))
