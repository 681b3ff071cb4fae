import warnings

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, ClassifierSettings
from minitransformer.batches import many_texts
from minitransformer.errors import UserError
from minitransformer.inference.prediction import load_predictor, scores_of
from minitransformer.models.siamese_network import SiameseNetwork
from tests.models.test_siamese_network import FIRST, LABELS, SECOND, network
from tests.small_encoders import POSITIONS, TOKENIZER, small_encoder
from tests.small_models import random_tokens, randomise, small_config


def classifier(problem_type="single_label_classification", labels=("no", "maybe", "yes"), **settings):
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=POSITIONS)
    return randomise(
        BertForSequenceClassification(config, ClassifierSettings(labels, problem_type, **settings)), std=0.5
    )


def saved(folder, model):
    model.save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("problem_type", "labels", "expected"),
    [
        ("single_label_classification", ("no", "maybe", "yes"), softmax),
        ("multi_label_classification", ("no", "maybe", "yes"), sigmoid),
        ("regression", ("score",), np.asarray),
    ],
)
def test_scores_are_probabilities_or_numbers(tmp_path, problem_type, labels, expected):
    model = classifier(problem_type, labels)
    predictor = load_predictor(saved(tmp_path, model))
    assert predictor[:2] == (labels, problem_type)
    logits = model(TOKENIZER(FIRST))
    np.testing.assert_allclose(predictor.scores((FIRST,)), expected(logits), rtol=1e-5)


def test_pairs_are_one_text_each_to_a_sequence_classifier(tmp_path):
    model = classifier()
    predictor = load_predictor(saved(tmp_path, model))
    np.testing.assert_allclose(
        predictor.scores((FIRST, SECOND)), softmax(model(TOKENIZER(FIRST, SECOND, POSITIONS))), rtol=1e-5
    )


def test_long_texts_are_cut_where_the_model_ends(tmp_path):
    predictor = load_predictor(saved(tmp_path, classifier()))
    long, cut = "my dog is cute " * 20, "my dog is cute my dog is"
    np.testing.assert_array_equal(predictor.scores(([long],)), predictor.scores(([cut],)))
    assert predictor.scores(([long], [long])).shape == (1, 3)


def test_what_is_cut_off_is_counted(tmp_path):
    """9 tokens fit: of "my dog is cute" five times, 22 tokens with [CLS] and [SEP], 13 don't."""
    predictor = load_predictor(saved(tmp_path, classifier()))
    predictor.scores((["my dog", "my dog is cute " * 5],))
    predictor.scores((["a"],))
    with pytest.warns(UserWarning, match="1 of 3 texts are longer than the model's 9 tokens: 13 of 29 tokens were cut"):
        predictor.cutter.report()


@pytest.mark.parametrize(
    ("num_texts", "columns", "message"),
    [
        (1, (FIRST, SECOND), "classifies single texts, found pairs; replace tabs inside texts by spaces"),
        (2, (FIRST,), "classifies pairs of texts, found single texts; separate the two by a tab"),
    ],
)
def test_a_classifier_that_knows_what_it_was_trained_on_refuses_the_other(tmp_path, num_texts, columns, message):
    predictor = load_predictor(saved(tmp_path, classifier(num_texts=num_texts)))
    with pytest.raises(UserError, match=message):
        predictor.scores(columns)
    assert predictor.scores((FIRST, SECOND)[:num_texts]).shape == (len(FIRST), 3)


def test_any_number_of_texts_is_scored_in_their_order(monkeypatch):
    monkeypatch.setattr(many_texts, "TOKENS_PER_CORE", 8)
    model = classifier()
    tokens = random_tokens(model.config, (4, 1, 6, 6, 3, 9))
    np.testing.assert_allclose(scores_of(model, tokens), softmax(model(tokens)), rtol=1e-5)
    assert scores_of(model, tokens.select(np.arange(0))).shape == (0, 3)


def test_the_pair_classifier_of_a_sentence_encoder_gives_its_own_answers(tmp_path):
    network().save_pretrained(tmp_path)
    predictor = load_predictor(tmp_path)
    assert predictor[:2] == (LABELS, "single_label_classification")
    expected = SiameseNetwork.from_pretrained(tmp_path).classify(FIRST, SECOND)
    np.testing.assert_array_equal(predictor.scores((FIRST, SECOND)), expected)
    with pytest.raises(UserError, match="classifies pairs of texts, found single texts; separate the two by a tab"):
        predictor.scores((FIRST,))
    predictor.scores((["my dog is cute " * 5], ["a"]))
    with pytest.warns(UserWarning, match="1 of [0-9]+ texts are longer than the model's 9 tokens: 13 of"):
        predictor.cutter.report()


def test_a_model_without_a_classifier_is_refused(tmp_path):
    small_encoder().save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"has no classifier: .*; `minitransformer finetune` makes a classifier"):
        load_predictor(tmp_path)


def test_what_else_is_in_the_folder_is_not_worth_a_warning(tmp_path):
    network().save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictor = load_predictor(saved(tmp_path, classifier()))
    assert predictor.labels == network().labels
