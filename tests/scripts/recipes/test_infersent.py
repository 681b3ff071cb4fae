"""The recipe's folder is one that both training commands begin with, and that learns a made task."""

import numpy as np
import pytest

from minitransformer import SentenceEncoder
from minitransformer.inference.prediction import load_predictor
from minitransformer.training.runs.classification import ClassificationRun, ClassificationTrainingSettings
from minitransformer.training.runs.sentences import SentencesRun, SentencesTrainingSettings
from scripts.recipes import infersent
from tests.small_tables import labelled_pairs, labelled_texts


@pytest.fixture
def small(monkeypatch):
    for name, value in (
        ("VOCAB_SIZE", 40),
        ("MAX_LENGTH", 20),
        ("EMBEDDING_SIZE", 16),
        ("HIDDEN_SIZE", 24),
        ("DROPOUT", 0.0),
    ):
        monkeypatch.setattr(infersent, name, value)


def test_it_learns_pairs_and_stays_an_lstm_with_max_pooling(tmp_path, small):
    table = labelled_pairs(tmp_path / "pairs.tsv", count=96)
    infersent.main(table, tmp_path / "infersent")
    files = {"model": str(tmp_path / "infersent"), "train": str(table), "dev": str(table)}
    sizes = {"objective": "classification", "epochs": 12, "learning_rate": 1e-2, "batch_size": 8}
    settings = SentencesTrainingSettings(**files, **sizes, components=["u", "v", "|u-v|", "u*v"])
    best = SentencesRun.start(tmp_path / "out", settings).train(workers=1)
    assert next(iter(best.values())) > 0.8
    encoder = SentenceEncoder.from_pretrained(tmp_path / "out")
    assert encoder.settings.pooling == ("max",)
    assert encoder.encode(["my dog", "he is cute"]).shape == (2, 24)


def test_it_learns_to_classify_texts(tmp_path, small):
    table = labelled_texts(tmp_path / "texts.tsv", count=48)
    infersent.main(table, tmp_path / "infersent")
    files = {"model": str(tmp_path / "infersent"), "train": str(table), "dev": str(table)}
    settings = ClassificationTrainingSettings(**files, epochs=30, learning_rate=1e-2, batch_size=8)
    best = ClassificationRun.start(tmp_path / "out", settings).train(workers=1)
    assert next(iter(best.values())) > 0.95
    predictor = load_predictor(tmp_path / "out")
    labels = np.array(predictor.labels)[predictor.scores((["my dog", "a b"],)).argmax(axis=1)]
    assert labels.tolist() == ["dog", "none"]
