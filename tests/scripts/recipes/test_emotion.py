"""The fine-tuning loop on a made task: a text is a joy if it has the word "cute"."""

import numpy as np
import pytest

from minitransformer import Bert, UserError
from scripts.recipes import emotion
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
    return paths


@pytest.fixture
def base(tmp_path):
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=POSITIONS, initializer_range=0.2)
    folder = tmp_path / "base"
    Bert(config).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("hidden_sizes", [(), (8,)], ids=["softmax", "a dense layer and softmax"])
def test_every_head_learns_the_task(files, base, hidden_sizes, monkeypatch, capsys):
    for name, value in (("HIDDEN_SIZES", hidden_sizes), ("NUM_EPOCHS", 12), ("PEAK_LEARNING_RATE", 2e-2)):
        monkeypatch.setattr(emotion, name, value)
    emotion.main(base, *files)
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert [pooling for pooling, *_ in rows] == ["mean", "pooler"]
    assert min(float(accuracy.rstrip("%")) for _, accuracy, _ in rows) > 95


def test_a_label_that_training_lacks_is_named(files, base):
    with open(files[1], "a") as file:
        file.write("\na b\tfear")
    with pytest.raises(UserError, match=r"dev\.tsv, line 102: the label 'fear'"):
        emotion.main(base, *files)
