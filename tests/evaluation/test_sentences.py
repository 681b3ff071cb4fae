import numpy as np
import pytest

from minitransformer.batches.sentence_examples import DevExamples
from minitransformer.evaluation.embedding_health import embedding_health
from minitransformer.evaluation.sentences import evaluate_sentences
from minitransformer.evaluation.sts import evaluate_sts
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.regression import RegressionObjective
from tests.small_encoders import small_encoder

TEXTS = (["my dog", "he likes", "a b", "cute"], ["my cute dog", "likes he", "a", "c"], ["playing", "a b", "c", "is"])
LABELS = ("yes", "no")


class Table:
    """Stands for an encoder: each text has the embedding that the test gives it."""

    embeddings: dict

    def encode(self, texts):
        return np.array([self.embeddings[text] for text in texts], float)


@pytest.fixture
def network(monkeypatch):
    network = SiameseNetwork(small_encoder(), RegressionObjective())
    monkeypatch.setattr(network.encoder, "encode", Table.encode.__get__(Table()))
    return network


def with_embeddings(monkeypatch, **embeddings):
    monkeypatch.setattr(Table, "embeddings", embeddings, raising=False)


def test_scored_pairs_are_measured_as_evaluate_sts_does():
    network, gold = SiameseNetwork(small_encoder(), RegressionObjective()), np.array([4.0, 3, 1, 0])
    found = evaluate_sentences(network, DevExamples(TEXTS[:2], gold=gold))
    expected = evaluate_sts(network.encoder.encode, *TEXTS[:2], gold)
    assert found == (expected.spearman, expected.pearson, *expected.health[:2])
    assert found._fields[0] == "spearman"


def test_pairs_that_belong_together_are_ranked(network, monkeypatch):
    """a finds x at once; b finds x before its own y; c's answer is x too, which stands there twice but counts once."""
    with_embeddings(monkeypatch, a=[1, 0], b=[1, 0.1], c=[1, 0.2], x=[1, 0], y=[0, 1])
    found = evaluate_sentences(network, DevExamples((["a", "b", "c"], ["x", "y", "x"])))
    assert found.mean_reciprocal_rank == pytest.approx((1 + 1 / 3 + 1) / 3)
    assert found.accuracy == pytest.approx(2 / 3)


def test_triplets_are_right_where_the_positive_is_nearer(network, monkeypatch):
    with_embeddings(monkeypatch, a=[0, 0], near=[1, 0], far=[0, 2])
    found = evaluate_sentences(network, DevExamples((["a", "a", "a"], ["near", "far", "near"], ["far", "near", "far"])))
    assert found.accuracy == pytest.approx(2 / 3)


def test_labelled_pairs_are_what_the_classifier_says_of_them():
    network = SiameseNetwork(small_encoder(), ClassificationObjective(12, 2, init_std=0.5), LABELS)
    answers = network.classify(*map(list, TEXTS[:2])).argmax(axis=1)
    label_ids = answers.copy()
    label_ids[1] = 1 - label_ids[1]
    found = evaluate_sentences(network, DevExamples(TEXTS[:2], label_ids=label_ids))
    assert found.accuracy == 3 / 4


@pytest.mark.parametrize("columns", [TEXTS[:2], TEXTS])
def test_the_embeddings_health_comes_with_each_metric(columns):
    network = SiameseNetwork(small_encoder(), RegressionObjective())
    found = evaluate_sentences(network, DevExamples(columns))
    expected = embedding_health(network.encoder.encode([text for column in columns for text in column]))
    assert found[-2:] == expected[:2]
    assert found._fields[-2:] == ("mean_cosine", "effective_rank")
