import dataclasses

import numpy as np
import pytest

from minitransformer.models.distilbert import DistilBertConfig
from minitransformer.models.sentence_encoder import SentenceEncoder
from tests.cli.test_fill_mask import assert_one_line_error
from tests.models.test_lstm_encoder import sentence_encoder
from tests.small_encoders import small_encoder


def test_the_lectures_example_has_its_tokens_segments_and_positions(run, tmp_path):
    encoder = small_encoder()
    encoder.save_pretrained(tmp_path)
    result = run("inspect", tmp_path, "dog is cute", "he playing")
    assert result.status == 0
    tokens, shapes = result.output.strip().split("\n\n")
    rows = [line.split() for line in tokens.splitlines()]
    assert rows[0] == ["token", "id", "segment", "position"]
    assert [row[0] for row in rows[1:]] == ["[CLS]", "dog", "is", "cute", "[SEP]", "he", "play", "##ing", "[SEP]"]
    assert [int(row[2]) for row in rows[1:]] == [0] * 5 + [1] * 4
    assert [int(row[3]) for row in rows[1:]] == list(range(9))
    assert shapes.count("(9, 12)") == 3 + 2 + 2  # three summands and the position table, their sum, two layers
    assert "table (18, 12)" in shapes
    assert "3 heads of 4, feed-forward 7" in shapes
    assert shapes.splitlines()[-1].endswith("(1, 12)")


def test_a_text_that_begins_with_cls_is_taken_as_the_tokens_themselves(run, tmp_path):
    small_encoder().save_pretrained(tmp_path)
    written = run("inspect", tmp_path, "[CLS] dog is cute [SEP] he play ##ing [SEP]")
    assert written.status == 0
    assert written.output == run("inspect", tmp_path, "dog is cute", "he playing").output


def test_a_folder_that_was_pretrained_here_is_inspected(run, model_folder):
    result = run("inspect", model_folder, "the dog likes green grass")
    assert result.status == 0
    assert result.error == ""
    assert "[CLS]" in result.output


def test_a_pair_for_a_model_with_one_segment_is_refused(run, tmp_path):
    encoder = small_encoder()
    config = dataclasses.replace(encoder.config, type_vocab_size=1)
    SentenceEncoder(config, encoder.tokenizer).save_pretrained(tmp_path)
    assert run("inspect", tmp_path, "dog is cute").status == 0
    refused = run("inspect", tmp_path, "dog is cute", "he playing")
    assert_one_line_error(refused, "has 1 segment, so it takes single texts, not pairs")


def test_an_encoder_of_another_family_is_inspected(run, tmp_path):
    sizes = {"hidden_size": 12, "num_attention_heads": 3, "intermediate_size": 7, "max_position_embeddings": 16}
    config = DistilBertConfig(vocab_size=18, num_hidden_layers=2, **sizes)
    SentenceEncoder(config, small_encoder().tokenizer).save_pretrained(tmp_path)
    result = run("inspect", tmp_path, "dog is cute")
    assert result.status == 0
    assert "segment embedding" not in result.output
    assert "pooled" not in result.output


def test_a_text_longer_than_the_model_is_refused(run, tmp_path):
    small_encoder().save_pretrained(tmp_path)
    assert_one_line_error(run("inspect", tmp_path, "dog " * 20), "22 tokens", "takes 9")


@pytest.mark.parametrize("command", [("inspect",), ("show", "attention"), ("show", "input")])
def test_into_an_lstm_nobody_looks(run, tmp_path, command):
    sentence_encoder(np.float32).save_pretrained(tmp_path)
    assert_one_line_error(run(*command, tmp_path, "my dog"), "is an LSTM, which has no attention to look into")
    assert run("similarity", tmp_path, "my dog", "a b").status == 0
