"""--json of every command that has it: one object, with the numbers that the command prints."""

import json

import numpy as np
import pytest

from minitransformer.cli._json import print_json
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_encoders import small_encoder

A, B, C = "my dog is cute", "he likes playing", "a b c"


@pytest.fixture
def json_of(run):
    def json_of(*arguments):
        result = run(*arguments, "--json")
        assert (result.status, result.output.count("\n")) == (0, 1), result.error
        return json.loads(result.output)

    return json_of


def test_arrays_namedtuples_and_numbers_that_are_none(capsys):
    print_json({"array": np.ones((1, 2), np.float32), "nan": float("nan"), "inf": np.float32("inf"), 3: ("a", True)})
    assert json.loads(capsys.readouterr().out) == {"array": [[1, 1]], "nan": None, "inf": None, "3": ["a", True]}


def test_similarity(json_of, encoder_folder):
    found = json_of("similarity", encoder_folder, A, B, C)
    assert found["texts"] == [A, B, C]
    np.testing.assert_allclose(found["similarities"], small_encoder().similarity([A, B, C], [A, B, C]), atol=1e-6)
    explained = json_of("similarity", encoder_folder, A, C, "--explain")
    assert explained["second_tokens"] == ["[CLS]", "a", "b", "c", "[SEP]"]
    assert np.sum(explained["contributions"]) == pytest.approx(explained["cosine"], abs=1e-6)


def test_similarity_with_a_prompt(json_of, run, encoder_folder):
    found = json_of("similarity", encoder_folder, A, B, "--prompt-name", "query")
    expected = small_encoder().similarity(f"he {A}", f"he {B}")[0, 0]
    assert found["similarities"][0][1] == pytest.approx(expected, abs=1e-6)
    refused = run("similarity", encoder_folder, A, B, "--prompt-name", "query", "--explain")
    assert_one_line_error(refused, "--explain compares texts without a prompt")


def test_fill_mask_and_next_sentence(json_of, model_folder):
    [fillings] = json_of("fill-mask", model_folder, "the dog [MASK] the river.", "--top", 3)["masks"]
    assert [*fillings[0]] == ["token", "probability"]
    assert [filling["probability"] for filling in fillings] == sorted(
        (f["probability"] for f in fillings), reverse=True
    )
    found = json_of("next-sentence", model_folder, "the dog sees.", "the dog hears.")
    assert found["is_next"] + found["is_random"] == pytest.approx(1, abs=1e-6)


def test_inspect(json_of, encoder_folder):
    found = json_of("inspect", encoder_folder, "my dog", C)
    assert found["tokens"][1] == {"token": "my", "id": 5, "segment": 0, "position": 1}
    assert found["steps"][-1]["shape"] == [1, 12]


def test_evaluate_sts(json_of, encoder_folder, tmp_path):
    for name in ("one.tsv", "two.tsv"):
        (tmp_path / name).write_text(f"sentence1\tsentence2\tscore\n{A}\t{B}\t1\n{A}\t{C}\t2\n{B}\t{C}\t3\n")
    found = json_of("evaluate", "sts", encoder_folder, tmp_path / "one.tsv")
    assert found["pairs"] == 3
    assert -100 <= found["spearman"] <= 100
    both = json_of("evaluate", "sts", encoder_folder, tmp_path / "one.tsv", tmp_path / "two.tsv")
    assert [table["spearman"] for table in both["tables"]] == [found["spearman"]] * 2
    prompted = json_of("evaluate", "sts", encoder_folder, tmp_path / "one.tsv", "--prompt-name", "query")
    assert prompted["pearson"] != found["pearson"]


def test_evaluate_pretraining(json_of, model_folder):
    found = json_of("evaluate", "pretraining", model_folder)
    assert found["mlm"] < found["to_beat"]["uniform"] == pytest.approx(np.log(140))
