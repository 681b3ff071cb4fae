import json
from pathlib import Path

import numpy as np
import pytest

from minitransformer.inference.attention_maps import attention_maps
from tests.cli.test_fill_mask import assert_one_line_error
from tests.cli.test_generate import gpt_folder  # noqa: F401  (a fixture)
from tests.small_encoders import small_encoder

TEXT, OTHER = "my dog is cute", "my dog is a"


def test_the_terminal_has_the_sentence_the_heads_and_the_best_one(run, encoder_folder):
    result = run("show", "attention", encoder_folder, TEXT, "--against", OTHER)
    assert result.status == 0, result.error
    assert result.output.startswith("In layer ")
    assert "With “a” for “cute” it is" in result.output
    assert result.output.count("the token of a row gives") == 2


def test_json_has_the_weights_that_the_model_computes(run, encoder_folder, tmp_path):
    result = run("show", "attention", encoder_folder, TEXT, "--json")
    found = json.loads(result.output)
    encoder = small_encoder()
    expected = attention_maps(encoder.encoder, encoder.tokenizer(TEXT)).weights
    assert found["tokens"] == ["[CLS]", "my", "dog", "is", "cute", "[SEP]"]
    np.testing.assert_allclose(found["weights"], expected, atol=1e-6)
    run("show", "attention", encoder_folder, TEXT, "--out", tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == found


def test_the_question_chooses_who_looks_at_whom(run, encoder_folder):
    found = json.loads(run("show", "attention", encoder_folder, TEXT, "--from", "cute", "--to", "dog", "--json").output)
    assert {(head["query"], head["key"]) for head in found["heads"]} == {(4, 2)}
    assert len(found["heads"]) == 6


def test_a_head_is_shown_that_is_asked_for(run, encoder_folder):
    assert "Layer 1, head 2," in run("show", "attention", encoder_folder, TEXT, "--layer", 1, "--head", 2).output


@pytest.mark.parametrize(("ending", "begins"), [(".html", "<!doctype html>"), (".svg", "<svg xmlns=")])
def test_files_are_written_and_said(run, encoder_folder, tmp_path, ending, begins):
    file = tmp_path / f"picture{ending}"
    result = run("show", "attention", encoder_folder, TEXT, "--out", file)
    assert (result.status, result.output) == (0, "")
    assert result.error.startswith(f"{file}: In layer ")
    assert file.read_text().startswith(begins)


def test_open_shows_the_page_in_a_browser_or_says_where_it_is(run, encoder_folder, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url))  # None: there is no browser
    result = run("show", "attention", encoder_folder, TEXT, "--open")
    page = Path(opened[0].removeprefix("file://"))
    assert page.read_text().startswith("<!doctype html>")
    assert f"the page is {page}" in result.error


def test_a_decoders_spaces_can_be_seen(run, gpt_folder):  # noqa: F811
    found = json.loads(run("show", "attention", gpt_folder, "to be", "--json").output)
    assert found["tokens"] == ["t", "o", "␣", "b", "e"]
    assert not np.triu(found["weights"], 1).any()


def test_a_long_text_is_cut_and_that_is_said(run, encoder_folder):
    result = run("show", "attention", encoder_folder, "a b c " * 5, "--json")
    assert len(json.loads(result.output)["tokens"]) == 9
    assert result.error == "Note: the text has 17 tokens; it is cut to 9, and read like that\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((TEXT, "--against", "my dog"), ("the text has 6 tokens, the one against it 4",)),
        ((TEXT, "--from", "horse"), ("there is no token 'horse'", "[CLS] my dog is cute [SEP]")),
        ((TEXT, "--layer", "2"), ("--layer is 2, but the model has 2",)),
        ((TEXT, "--head", "3"), ("--head is 3, but the model has 3",)),
        ((TEXT, "--out", "picture.png"), ("must end in .html, .svg or .json",)),
        (("",), ("no token of the text can look at another",)),
    ],
)
def test_what_cannot_be_shown_is_one_line(run, encoder_folder, arguments, words):
    assert_one_line_error(run("show", "attention", encoder_folder, *arguments), *words)
