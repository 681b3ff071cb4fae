"""What finetune and train-sbert wrote is loaded by transformers and sentence-transformers, and computes the same."""

import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the parity extra)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")
sentence_transformers = pytest.importorskip("sentence_transformers", reason="not installed (the parity extra)")

from minitransformer import BertForSequenceClassification, BertTokenizer, SentenceEncoder  # noqa: E402
from minitransformer.inference.prediction import load_predictor  # noqa: E402
from minitransformer.training.runs.classification import ClassificationRun  # noqa: E402
from minitransformer.training.runs.sentences import SentencesRun  # noqa: E402
from tests.small_tables import sentences  # noqa: E402
from tests.training.fine_tuning_runs import classification_settings, sentences_settings  # noqa: E402

TEXTS = sentences(20, seed=77)
KINDS = {  # a kind of table, settings, what makes scores of logits
    "labelled_texts": ({}, lambda logits: logits.softmax(dim=1)),
    "labelled_pairs": ({}, lambda logits: logits.softmax(dim=1)),
    "multi_labelled_texts": ({"multi_label": True}, lambda logits: logits.sigmoid()),
    "scored_texts": ({}, lambda logits: logits),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*fill all of the")
def test_transformers_loads_a_finetuned_classifier_whole_and_gives_the_same_scores(tmp_path, kind):
    settings, scores_of = KINDS[kind]
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path, kind, **settings))
    run.train(workers=1)
    theirs, info = transformers.AutoModelForSequenceClassification.from_pretrained(run.folder, output_loading_info=True)
    assert type(theirs) is transformers.BertForSequenceClassification
    assert not any(info.values()), info
    labels = run.model.settings.labels
    assert theirs.config.id2label == dict(enumerate(labels))
    assert theirs.config.problem_type == run.model.settings.problem_type

    their_tokenizer = transformers.AutoTokenizer.from_pretrained(run.folder)
    columns = (TEXTS, TEXTS[::-1]) if "pairs" in kind else (TEXTS,)
    inputs = their_tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        logits = theirs.eval()(**inputs).logits
    ours = BertForSequenceClassification.from_pretrained(run.folder)
    tokens = BertTokenizer.from_pretrained(run.folder)(*columns, max_length=9)
    np.testing.assert_allclose(ours(tokens), logits.numpy(), rtol=1e-4, atol=1e-5)
    found = load_predictor(run.folder).scores(columns)
    np.testing.assert_allclose(found, scores_of(logits).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "objective", "pooling"),
    [("labelled_pairs", "classification", None), ("scored_pairs", "regression", "max"), ("triplets", "ranking", "cls")],
)
def test_sentence_transformers_loads_a_trained_encoder_and_gives_the_same_embeddings(
    tmp_path, caplog, kind, objective, pooling
):
    """The pair classifier beside the encoder is in nobody's way."""
    run = SentencesRun.start(tmp_path / "run", sentences_settings(tmp_path, kind, objective, pooling=pooling))
    before = run.model.encoder.encode(TEXTS)
    run.train(workers=1)
    with caplog.at_level(logging.WARNING):
        theirs = sentence_transformers.SentenceTransformer(str(run.folder), device="cpu")
    assert not caplog.records
    embeddings = SentenceEncoder.from_pretrained(run.folder).encode(TEXTS)
    np.testing.assert_allclose(theirs.encode(TEXTS), embeddings, rtol=1e-5, atol=1e-5)
    assert not np.allclose(before, embeddings, atol=1e-3), "it has learnt nothing"


def test_transformers_loads_an_adapter_from_finetune_and_gives_the_same_scores(tmp_path):
    pytest.importorskip("peft", reason="peft is not installed (the parity extra)")
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path, lora=2, learning_rate=0.1))
    run.train(workers=1)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(run.folder, num_labels=3)
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(run.folder)
    with torch.no_grad():
        logits = theirs.eval()(**their_tokenizer(TEXTS, padding=True, return_tensors="pt")).logits
    found = load_predictor(run.folder).scores((TEXTS,))
    np.testing.assert_allclose(found, logits.softmax(dim=1).numpy(), rtol=1e-4, atol=1e-5)


def test_sentence_transformers_loads_an_adapter_from_train_sbert_and_gives_the_same_embeddings(tmp_path, caplog):
    pytest.importorskip("peft", reason="peft is not installed (the parity extra)")
    settings = sentences_settings(
        tmp_path, "labelled_pairs", "classification", pooling="max", lora=2, learning_rate=0.1
    )
    run = SentencesRun.start(tmp_path / "run", settings)
    before = run.model.encoder.encode(TEXTS)
    run.train(workers=1)
    with caplog.at_level(logging.WARNING):
        theirs = sentence_transformers.SentenceTransformer(str(run.folder), device="cpu")
    assert not caplog.records
    embeddings = SentenceEncoder.from_pretrained(run.folder).encode(TEXTS)
    np.testing.assert_allclose(theirs.encode(TEXTS), embeddings, rtol=1e-4, atol=1e-5)
    assert not np.allclose(before, embeddings, atol=1e-3), "it has learnt nothing"
