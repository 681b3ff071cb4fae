"""Features of all rows and of their mean, on a small encoder."""

import numpy as np
import pytest

from scripts.recipes import ice3
from tests.small_encoders import small_encoder

TEXTS = ["my dog is cute", "he likes", "my dog", "a b c a b c a"]  # 6, 4, 4 and 9 tokens with [CLS] and [SEP]
LABELS = ["joy", "anger", "joy", "anger"]


def test_flat_features_are_the_rows_and_then_zeros_and_pooled_ones_their_mean():
    encoder = small_encoder()
    flat, pooled = ice3.features(encoder, TEXTS)
    assert flat.shape == (4, ice3.FLAT_TOKENS * 12)
    rows_of = flat.reshape(4, ice3.FLAT_TOKENS, 12)
    for text, rows, mean in zip(TEXTS, rows_of, pooled, strict=True):
        hidden = encoder.encoder.hidden(encoder.tokenize(text))
        np.testing.assert_allclose(rows[: len(hidden)], hidden, atol=1e-5)
        np.testing.assert_array_equal(rows[len(hidden) :], 0)
        np.testing.assert_allclose(mean, hidden.mean(axis=0), atol=1e-5)


def test_texts_longer_than_the_flat_features_are_cut(monkeypatch):
    monkeypatch.setattr(ice3, "FLAT_TOKENS", 5)
    flat, _ = ice3.features(small_encoder(), TEXTS)
    assert flat.shape == (4, 5 * 12)


@pytest.fixture
def files(tmp_path):
    train, dev = tmp_path / "train.tsv", tmp_path / "dev.tsv"
    for file in (train, dev):
        lines = [f"{text}\t{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
        file.write_text("\n".join(["text\tlabel", *lines, ""]))
    return train, dev


def test_the_recipe_compares_sizes_and_accuracies(files, tmp_path, capsys):
    small_encoder().save_pretrained(tmp_path / "encoder")
    ice3.main(tmp_path / "encoder", *files)
    printed = capsys.readouterr().out
    flat, pooled = (line.strip("| ").split(" | ") for line in printed.splitlines() if line.startswith(("| f", "| p")))
    assert flat[:3] == ["flat", "384", "384"]  # two classes have one column of weights
    assert pooled[:3] == ["pooled", "12", "12"]
    assert flat[4] == flat[5]  # DEV has the texts of TRAIN here
