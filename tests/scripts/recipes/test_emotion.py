"""The fine-tuning loop on a made task: a text is a joy if it has the word "cute"."""

import emotion
import numpy as np
import pytest
from click.testing import CliRunner

from minitransformer import Bert
from tests.small_encoders import POSITIONS, TOKENIZER
from tests.small_models import small_config


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for name, count in (("train.tsv", 400), ("dev.tsv", 100)):
        lines = ["text\tlabel"]
        for _ in range(count):
            words = list(rng.choice(["my", "dog", "is", "he", "a", "b"], rng.integers(1, POSITIONS - 2)))
            label = rng.choice(["anger", "joy"])
            if label == "joy":
                words[rng.integers(len(words))] = "cute"
            lines.append(f"{' '.join(words)}\t{label}")
        paths.append(tmp_path / name)
        paths[-1].write_text("\n".join(lines))
    return [*map(str, paths)]


@pytest.fixture
def base(tmp_path):
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=POSITIONS, initializer_range=0.2)
    folder = tmp_path / "base"
    Bert(config).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return str(folder)


def test_every_head_learns_the_task(files, base):
    options = ["--model", base, "--pooling", "cls", "--pooling", "mean", "--hidden", "0", "--hidden", "8"]
    arguments = [*files, *options, "--epochs", "12", "--learning-rate", "2e-2"]
    printed = CliRunner().invoke(emotion.main, arguments, catch_exceptions=False).output
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if "softmax" in line]
    assert [name for name, *_ in rows] == ["CLS, softmax", "CLS, 8 + softmax", "MEAN, softmax", "MEAN, 8 + softmax"]
    assert min(float(accuracy.rstrip("%")) for _, accuracy, _ in rows) > 95


def test_a_label_that_training_lacks_is_named(files, base):
    with open(files[1], "a") as file:
        file.write("\na b\tfear")
    result = CliRunner().invoke(emotion.main, [*files, "--model", base])
    assert "dev.tsv, line 102: the label 'fear'" in str(result.exception)
