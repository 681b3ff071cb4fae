import json

import numpy as np
import pytest

from minitransformer import ClassifierSettings, SentenceEncoder, SentenceEncoderSettings
from minitransformer.errors import UserError
from minitransformer.models.bert import Bert
from minitransformer.models.encoders import classifier_of_folder
from minitransformer.models.lstm_encoder import LstmEncoder, LstmEncoderConfig
from minitransformer.models.lstm_for_sequence_classification import LstmForSequenceClassification
from minitransformer.randomness import generator
from minitransformer.training.lora import LoraTrainingSettings, adapt
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth
from tests.gradient_check import assert_parameter_gradients
from tests.small_encoders import POSITIONS, TOKENIZER, random_texts
from tests.small_models import random_tokens, randomise

TARGETS = np.array([0, 2, 1, 2, 0])


def config(**changes):
    sizes = {"vocab_size": TOKENIZER.vocab_size, "embedding_size": 5, "hidden_size": 6, "num_hidden_layers": 2}
    return LstmEncoderConfig(**{**sizes, "max_position_embeddings": POSITIONS, **changes})


def sentence_encoder(dtype=np.float64, **settings):
    settings = SentenceEncoderSettings(**{"pooling": ("max",), **settings})
    return randomise(SentenceEncoder(config(), TOKENIZER, settings, dtype=dtype))


def classifier(dtype=np.float64, **settings):
    settings = ClassifierSettings(("a", "b", "c"), **{"pooling": "max", **settings})
    return randomise(LstmForSequenceClassification(config(), settings, dtype=dtype))


def test_every_row_knows_its_whole_text_and_no_other():
    model, tokens = randomise(LstmEncoder(config(), dtype=np.float64)), random_tokens(config(), (3, 4))
    before = model.hidden(tokens)
    tokens.token_ids[4] = (tokens.token_ids[4] + 1) % TOKENIZER.vocab_size
    changed = (model.hidden(tokens) != before).any(axis=1)
    assert changed.tolist() == [False] * 3 + [True] * 4


@pytest.mark.parametrize("dropout", [False, True])
def test_the_gradients_of_a_classifier_equal_central_differences(dropout):
    model = classifier(hidden_sizes=(4,))
    tokens = random_tokens(model.config)

    def forward():
        return model.forward(tokens, TARGETS, generator(1, "dropout") if dropout else None)

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0])


def test_the_gradients_of_a_sentence_encoder_equal_central_differences():
    model = sentence_encoder()
    tokens = random_tokens(config())
    d_embeddings = np.random.default_rng(3).normal(size=(len(tokens), 6))
    model.backward(d_embeddings, model.forward(tokens)[1])
    assert_parameter_gradients(model, lambda: float((model(tokens) * d_embeddings).sum()))


@pytest.mark.parametrize("head", [(), ("layer_norm", "normalise")])
def test_a_sentence_encoder_comes_back_from_its_folder(tmp_path, recwarn, head):
    model, texts = sentence_encoder(np.float32, head=head), random_texts(7)
    model.save_pretrained(tmp_path)
    again = SentenceEncoder.from_pretrained(tmp_path)
    assert (again.config, again.settings.pooling, again.settings.head) == (model.config, ("max",), head)
    np.testing.assert_array_equal(again.encode(texts), model.encode(texts))
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "lstm_encoder"
    assert not recwarn.list


def test_a_classifier_comes_back_from_its_folder(tmp_path, recwarn):
    model = classifier(np.float32, hidden_sizes=(4,))
    model.save_pretrained(tmp_path)
    again = classifier_of_folder(tmp_path).from_pretrained(tmp_path)
    assert type(again) is LstmForSequenceClassification
    assert again.settings == model.settings
    tokens = random_tokens(model.config)
    np.testing.assert_array_equal(again(tokens), model(tokens))
    assert not recwarn.list


def test_a_classifier_begins_with_the_lstm_of_a_sentence_encoder(tmp_path):
    encoder = sentence_encoder(np.float32)
    encoder.save_pretrained(tmp_path)
    model = LstmForSequenceClassification.from_pretrained(
        tmp_path, settings=ClassifierSettings(("a", "b"), pooling="max")
    )
    tokens = random_tokens(model.config)
    np.testing.assert_array_equal(model.lstm.hidden(tokens), encoder.encoder.hidden(tokens))


def test_each_layer_learns_more_slowly_than_the_one_above_it():
    model = classifier()
    factors = rate_factors_by_depth(model, 2, 0.5)
    expected = {"classifier": 1, "lstm.layers.1": 1 / 2, "lstm.layers.0": 1 / 4, "lstm.embeddings": 1 / 8}
    for path, parameter in model.named_parameters():
        [found] = [run.factor for run in factors if run.start <= parameter.place.start < run.end]
        assert [found] == [factor for name, factor in expected.items() if path.startswith(name)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: config(hidden_size=7), "hidden_size 7 is odd: each direction gives half of it"),
        (lambda: config(num_hidden_layers=0), "num_hidden_layers must be a whole number of at least 1, found 0"),
        (lambda: classifier(pooling="pooler"), "pooling of this model is one of max, mean, cls; found 'pooler'"),
    ],
)
def test_what_does_not_fit_an_lstm_is_refused(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_it_has_no_linear_layers_that_lora_could_change(tmp_path):
    sentence_encoder(np.float32).save_pretrained(tmp_path)
    settings = LoraTrainingSettings(lora=2, learning_rate=1e-3)
    with pytest.raises(UserError, match="--lora changes the linear layers of a Transformer"):
        adapt(SentenceEncoder.from_pretrained(tmp_path), str(tmp_path), settings)


def test_its_folder_is_of_another_kind_than_berts(tmp_path):
    sentence_encoder(np.float32).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="model_type is 'lstm_encoder', expected 'bert'"):
        Bert.from_pretrained(tmp_path)
