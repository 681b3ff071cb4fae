"""What `show` prints and writes; pictures/ has tests of what is in it."""

import json

import numpy as np
import pytest

from minitransformer.models.sentence_encoder_settings import DenseSettings
from tests.cli.test_fill_mask import assert_one_line_error
from tests.cli.test_generate import gpt_folder  # noqa: F401  (a fixture)
from tests.models.test_lstm_encoder import sentence_encoder as lstm_sentence_encoder
from tests.small_encoders import small_encoder

A, B = "my dog", "he likes playing"


@pytest.fixture
def data_of(run):
    def data_of(*arguments):
        result = run("show", *arguments, "--json")
        assert result.status == 0, result.error
        return json.loads(result.output)

    return data_of


def test_input_of_a_pair(run, data_of, encoder_folder):
    found = data_of("input", encoder_folder, A, B)
    encoder = small_encoder()
    np.testing.assert_allclose(found["first_layer"], encoder.encoder.embedded(encoder.tokenizer(A, B)), atol=1e-6)
    assert [*found["summands"]] == ["token", "segment", "position"]
    assert "##ing" in run("show", "input", encoder_folder, A, B).output


def test_input_of_a_decoder_is_one_text(run, data_of, gpt_folder):  # noqa: F811
    assert [*data_of("input", gpt_folder, "to be")["summands"]] == ["token", "position"]
    assert_one_line_error(run("show", "input", gpt_folder, "to", "be"), "a GPT reads one text, found two")


def test_similarity_of_texts_and_of_a_files_lines(data_of, encoder_folder, tmp_path):
    found = data_of("similarity", encoder_folder, A, B)
    np.testing.assert_allclose(found["similarities"], small_encoder().similarity([A, B], [A, B]), atol=1e-6)
    (tmp_path / "texts.txt").write_text(f"{A}\n\n{B}\n")
    assert data_of("similarity", encoder_folder, "--file", tmp_path / "texts.txt") == found


def test_the_parts_of_a_cosine(data_of, encoder_folder):
    found = data_of("similarity", encoder_folder, A, B, "--explain")
    assert np.sum(found["contributions"]) == pytest.approx(found["cosine"], abs=1e-6)


def test_what_cannot_be_compared_is_one_line(run, encoder_folder, tmp_path):
    (tmp_path / "one.txt").write_text("a\n")
    for arguments, words in (
        ((A,), "expected at least two texts, found 1"),
        (("--file", tmp_path / "one.txt"), f"expected at least two texts in {tmp_path / 'one.txt'}, found 1"),
        ((A, "--file", tmp_path / "one.txt"), "give one of both"),
        ((A, B, A, "--explain"), "--explain compares two texts without a prompt, found 3 texts"),
    ):
        assert_one_line_error(run("show", "similarity", encoder_folder, *arguments), words)


def test_many_texts_are_cut_and_that_is_said(run, encoder_folder):
    result = run("show", "similarity", encoder_folder, *["a"] * 41, "--json")
    assert len(json.loads(result.output)["texts"]) == 40
    assert result.error == "Note: there are 41 texts; the first 40 are shown\n"


def test_architecture(data_of, encoder_folder):
    assert data_of("architecture", encoder_folder)["parameters"] == small_encoder().num_parameters


def test_architecture_of_an_lstm(data_of, tmp_path):
    encoder = lstm_sentence_encoder(np.float32)
    encoder.save_pretrained(tmp_path)
    assert data_of("architecture", tmp_path)["parameters"] == encoder.num_parameters


def test_architecture_of_a_sentence_encoder_with_a_dense_layer(data_of, tmp_path):
    encoder = small_encoder(head=(DenseSettings(12, 5),))
    encoder.save_pretrained(tmp_path / "dense")
    found = data_of("architecture", tmp_path / "dense")
    assert found["parameters"] == encoder.num_parameters
    assert [block["name"] for block in found["blocks"]] == ["encoder", "encoder.layers", "head.layers"]


def test_training_of_a_bert_with_what_it_must_beat(run, data_of, model_folder):
    [found] = data_of("training", model_folder)["runs"]
    assert found["to_beat"]["ln V"] == pytest.approx(np.log(140))
    assert found["to_beat"]["ln 2"] == pytest.approx(np.log(2))
    assert sum("mlm" in line for line in found["metrics"]) == 150
    result = run("show", "training", model_folder, model_folder)
    assert result.output.startswith("bert: in 150 steps the mlm loss went from ")


def test_training_of_a_run_that_has_no_record_is_one_line(run, encoder_folder):
    assert_one_line_error(run("show", "training", encoder_folder), "has no record of a training step")


def test_embeddings_of_lines_and_of_a_labelled_table(run, data_of, encoder_folder, tmp_path):
    texts = [A, B, "a b c", "my dog likes a"]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    (tmp_path / "labelled.tsv").write_text("text\tlabel\n" + "".join(f"{text}\tdog\n" for text in texts))
    found = data_of("embeddings", encoder_folder, tmp_path / "texts.txt")
    assert found["texts"] == texts
    embeddings = small_encoder().encode(texts)
    nearest = np.argsort(np.linalg.norm(embeddings - embeddings[0], axis=1))[1:]
    assert found["neighbours"][0] == nearest.tolist()
    labelled = data_of("embeddings", encoder_folder, tmp_path / "labelled.tsv", "--labels")
    assert labelled == {**found, "labels": ["dog"] * 4}
    (tmp_path / "two.txt").write_text("a\nb\n")
    assert_one_line_error(run("show", "embeddings", encoder_folder, tmp_path / "two.txt"), "three texts at least")


def test_a_layer_of_an_encoder(run, data_of, encoder_folder):
    found = data_of("layer", encoder_folder, A, "--layer", 1)
    encoder = small_encoder()
    np.testing.assert_allclose(found["steps"][-1]["value"], encoder.encoder.hidden(encoder.tokenizer(A)), atol=1e-5)
    assert_one_line_error(run("show", "layer", encoder_folder, A, "--layer", 2), "--layer is 2, but the model has 2")
    assert_one_line_error(run("show", "layer", encoder_folder, A, "--backward"), "give another --against it")
    assert_one_line_error(run("show", "layer", encoder_folder, A, "--against", B), "--against is for gradients")


def test_a_layer_of_an_encoder_with_the_gradients_of_a_cosine(run, encoder_folder):
    result = run("show", "layer", encoder_folder, A, "--backward", "--against", B, "--json")
    assert result.status == 0, result.error
    steps = json.loads(result.output)["steps"]
    assert all(np.shape(step["gradient"]) == np.shape(step["value"]) for step in steps)
    text = run("show", "layer", encoder_folder, A, "--backward", "--against", B).output
    assert f"The gradients are those of the cosine with “{B}”." in text


def test_a_layer_of_a_decoder_with_its_gradients(run, data_of, gpt_folder):  # noqa: F811
    assert_one_line_error(run("show", "layer", gpt_folder, "t", "--backward"), "a text of one token has no next one")
    result = run("show", "layer", gpt_folder, "to be", "--backward", "--against", B)
    assert_one_line_error(result, "leave --against out")
    steps = data_of("layer", gpt_folder, "to be", "--backward")["steps"]
    assert all(np.shape(step["gradient"]) == np.shape(step["value"]) for step in steps)


def test_negatives_of_a_tables_first_pairs(run, data_of, encoder_folder, tmp_path):
    pairs = [(A, "my dog is cute"), (B, "he likes a"), ("a b", "c")]
    (tmp_path / "pairs.tsv").write_text("query\tpositive\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    found = data_of("negatives", encoder_folder, tmp_path / "pairs.tsv", "--batch", 2)
    firsts, seconds = [list(column) for column in zip(*pairs[:2], strict=True)]
    assert (found["firsts"], found["seconds"]) == (firsts, seconds)
    np.testing.assert_allclose(found["similarities"], small_encoder().similarity(firsts, seconds), atol=1e-6)
    identity = data_of("negatives", encoder_folder, tmp_path / "pairs.tsv", "--batch", 2, "--weights", "identity")
    np.testing.assert_allclose(identity["weights"], identity["similarities"] * (1 - np.eye(2)), atol=1e-6)
    (tmp_path / "one.tsv").write_text("query\tpositive\na\tb\n")
    assert_one_line_error(run("show", "negatives", encoder_folder, tmp_path / "one.tsv"), "has 1 pair")
