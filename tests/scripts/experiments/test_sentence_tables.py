"""Tables 1 and 5 on small encoders and made data."""

import numpy as np
import pytest
from click.testing import CliRunner

from minitransformer.evaluation.sts import evaluate_sts
from scripts.experiments import sentence_tables
from tests.small_encoders import random_texts, small_encoder

TEXTS = [text for text in random_texts(200) if text]
NAMES = ["averaged token embeddings", "averaged BERT", "CLS of BERT", "sbert", "minilm"]


@pytest.fixture
def folders(tmp_path):
    """A BERT and two encoders, with weights of their own."""
    paths = [tmp_path / name for name in ("bert", "sbert", "minilm")]
    for seed, path in enumerate(paths):
        small_encoder(seed=seed).save_pretrained(path)
    return [*map(str, paths)]


def run(*arguments):
    result = CliRunner().invoke(sentence_tables.main, arguments, catch_exceptions=False)
    return [line.strip("| ").split(" | ") for line in result.stdout.splitlines() if line.startswith("|")]


def test_table_1_has_the_spearman_of_each_encoder_above_the_published(folders, tmp_path):
    file = tmp_path / "dev.tsv"
    lines = [f"{TEXTS[i]}\t{TEXTS[i + 20]}\t{i % 5}" for i in range(20)]
    file.write_text("\n".join(["sentence1\tsentence2\tscore", *lines]))
    bert, sbert, minilm = folders
    rows = run(bert, "--encoder", sbert, "--encoder", minilm, "--sts", str(file))
    ours, published = rows[2:7], rows[9:]
    assert [row[0] for row in ours] == NAMES
    for row, seed in ((ours[1], 0), (ours[3], 1), (ours[4], 2)):
        expected = evaluate_sts(small_encoder(seed=seed).encode, TEXTS[:20], TEXTS[20:40], np.arange(20) % 5)
        assert row[1] == f"{expected.spearman:.2f}"
        assert row[2] == f"{expected.health.mean_cosine:.3f}"
    assert published[0] == ["averaged GloVe", "58.02", "53.76"]


def test_table_5_has_the_tasks_that_are_there_and_their_mean(folders, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for task in ("SST", "TREC"):
        for part, texts in (("train", TEXTS[:100]), ("test", TEXTS[100:130])):
            lines = [f"{text}\t{'dog' in text}" for text in texts]
            (data / f"{task}.{part}.tsv").write_text("\n".join(["text\tlabel", *lines]))
    bert, sbert, _ = folders
    rows = run(bert, "--encoder", sbert, "--senteval", str(data))
    header, ours, published = rows[0], rows[2:6], rows[8:]
    assert header[:4] == ["ours", "SST", "TREC", "mean"]
    assert [row[0] for row in ours] == NAMES[:4]
    assert all(row[1] == row[2] == row[3] for row in ours)  # both tasks have the same texts
    majority = 100 * np.mean(["dog" not in text for text in TEXTS[100:130]])
    assert float(ours[0][1]) > majority + 5  # a mean of tokens has the word in it
    assert published[0] == ["averaged GloVe", "80.18", "83.00", "81.59"]


def test_without_data_it_says_what_it_needs(folders):
    result = CliRunner().invoke(sentence_tables.main, [folders[0]])
    assert result.exit_code == 2
    assert "give scored pairs with --sts" in result.output
