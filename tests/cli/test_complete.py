import json

import pytest

from minitransformer import BytePairTokenizer, Gpt, GptConfig
from tests.cli.test_fill_mask import assert_one_line_error


@pytest.fixture(scope="module")
def gpt_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt")
    tokenizer = BytePairTokenizer.train("let me know if you need it. " * 9, vocab_size=275)
    Gpt(GptConfig.preset("tiny", vocab_size=275, max_position_embeddings=30), seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_json_has_the_suggestion_and_its_confidence_or_null(run, gpt_folder, tmp_path):
    (tmp_path / "own.txt").write_text("let me know if you need it.\n" * 20)
    own = ["--own-texts", tmp_path / "own.txt", "--own-share", "0.99"]
    found = json.loads(run("complete", gpt_folder, "let me kn", *own, "--json").output)["suggestion"]
    assert found["text"] == "ow if you need it."
    assert 0 < found["confidence"] <= 1
    assert run("complete", gpt_folder, "let me kn", *own).output == "ow if you need it.\n"
    assert json.loads(run("complete", gpt_folder, "let", "--min-confidence", "0.999", "--json").output) == {
        "text": "let",
        "suggestion": None,
    }


def test_no_suggestion_is_an_empty_output_and_no_error(run, gpt_folder):
    result = run("complete", gpt_folder, "let", "--min-confidence", "0.999")
    assert (result.status, result.output, result.error) == (0, "", "Note: no suggestion is sure enough\n")


def test_a_model_that_writes_nothing_is_refused(run, encoder_folder):
    assert_one_line_error(run("complete", encoder_folder, "let me"), "")
