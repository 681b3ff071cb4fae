import json
import warnings

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer import Bert, BertForSequenceClassification, ClassifierSettings, UserError
from minitransformer.randomness import generator
from tests.gradient_check import assert_parameter_gradients
from tests.small_models import LENGTHS, random_tokens, randomise, small_config

LABELS = ("no", "maybe", "yes")
TARGETS = {
    "single_label_classification": np.array([2, 0, 1, 2, 2]),
    "multi_label_classification": np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1]]),
    "regression": np.array([[0.3, -1, 2], [0, 0, 1], [1, 1, 1], [0.5, 0.1, -0.2], [3, 0, 0]]),
}

every_problem = pytest.mark.parametrize("problem_type", TARGETS)


def classifier(dtype=np.float64, config=None, **settings):
    settings = ClassifierSettings(**{"labels": LABELS, **settings})
    return randomise(BertForSequenceClassification(config or small_config(), settings, dtype=dtype), std=0.5)


def loss_and_gradients(model, tokens, targets, of_step=None):
    model.zero_grad()
    loss, cache = model.forward(tokens, targets, of_step=of_step)
    model.backward(cache)
    return loss, model.storage.gradients.copy()


@every_problem
@pytest.mark.parametrize("pooling", ["pooler", "cls", "mean"])
@pytest.mark.parametrize("hidden_sizes", [(), (5, 4)])
def test_the_gradient_of_every_parameter_equals_central_differences(problem_type, pooling, hidden_sizes):
    model = classifier(problem_type=problem_type, pooling=pooling, hidden_sizes=hidden_sizes, dropout=0.3)
    tokens = random_tokens(model.config)

    def forward():
        return model.forward(tokens, TARGETS[problem_type], generator(1, "dropout"))

    model.zero_grad()
    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0])


def probabilities_of_truth(problem_type, logits, targets):
    if problem_type == "single_label_classification":
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return probabilities[np.arange(len(logits)), targets]
    yes = 1 / (1 + np.exp(-logits))
    return np.where(targets == 1, yes, 1 - yes)


@pytest.mark.parametrize("problem_type", ["single_label_classification", "multi_label_classification"])
def test_the_loss_is_the_mean_surprise_of_the_logits_that_inference_gives(problem_type):
    model = classifier(problem_type=problem_type)
    tokens, targets = random_tokens(model.config), TARGETS[problem_type]
    logits = model(tokens)
    assert logits.shape == (len(LENGTHS), 3)
    loss, _ = model.forward(tokens, targets)
    assert loss == pytest.approx(-np.log(probabilities_of_truth(problem_type, logits, targets)).mean(), rel=1e-12)


def test_the_loss_of_regression_is_the_mean_squared_error():
    model = classifier(problem_type="regression")
    tokens, targets = random_tokens(model.config), TARGETS["regression"]
    assert model.forward(tokens, targets)[0] == pytest.approx(((model(tokens) - targets) ** 2).mean(), rel=1e-12)


def test_one_number_a_text_may_come_as_a_vector():
    model = classifier(problem_type="regression", labels=("score",))
    tokens = random_tokens(model.config)
    scores = np.arange(5.0)
    assert model.forward(tokens, scores)[0] == pytest.approx(((model(tokens)[:, 0] - scores) ** 2).mean(), rel=1e-12)


@every_problem
def test_shards_add_up_to_the_batch(problem_type):
    model = classifier(problem_type=problem_type, pooling="mean")
    tokens, targets = random_tokens(model.config), TARGETS[problem_type]
    loss, gradients = loss_and_gradients(model, tokens, targets)
    parts = [[3, 0], [1, 4, 2]]
    shards = [loss_and_gradients(model, tokens.select(part), targets[part], of_step=5) for part in parts]
    assert sum(loss for loss, _ in shards) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(sum(gradients for _, gradients in shards), gradients, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pooling", ["pooler", "cls", "mean"])
def test_with_a_frozen_encoder_what_is_above_has_the_same_gradients_and_the_encoder_none(pooling):
    model = classifier(pooling=pooling, hidden_sizes=(5, 4), dropout=0.0)
    tokens, targets = random_tokens(model.config), TARGETS["single_label_classification"]
    loss, _ = loss_and_gradients(model, tokens, targets)
    gradients = {name: parameter.grad.copy() for name, parameter in model.named_parameters()}
    model.freeze(model.bert.embeddings, model.bert.layers)
    frozen_loss, cache = model.forward(tokens, targets, generator(1, "dropout"))
    model.backward(cache)
    assert frozen_loss == pytest.approx(loss, rel=1e-12)
    for name, parameter in model.named_parameters():
        if name.startswith(("bert.embeddings", "bert.layers")):
            assert not parameter.trained, name
        else:
            np.testing.assert_allclose(parameter.grad, gradients[name], rtol=1e-12, err_msg=name)


def test_the_settings_decide_what_stands_on_top():
    model = classifier(hidden_sizes=(5, 4), dropout=0.2)
    assert model.state_dict()["classifier.weight"].shape == (3, 4)
    assert model.dropout == 0.2
    assert classifier(dropout=None).dropout == small_config().hidden_dropout_prob


@every_problem
def test_a_saved_classifier_comes_back_with_its_labels_and_its_head(tmp_path, problem_type):
    saved = classifier(np.float32, problem_type=problem_type, pooling="mean", hidden_sizes=(5,), dropout=0.25)
    saved.save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = BertForSequenceClassification.from_pretrained(tmp_path)
    assert loaded.settings == saved.settings
    tokens = random_tokens(saved.config)
    np.testing.assert_array_equal(loaded(tokens), saved(tokens))


def test_the_head_sees_the_pooler_the_row_of_cls_or_the_mean():
    model = classifier()
    tokens, rows = random_tokens(model.config), {}
    hidden, rows["pooler"] = model.bert(tokens)
    rows["cls"] = hidden[tokens.starts]
    rows["mean"] = np.array([rows_of_text.mean(axis=0) for rows_of_text in tokens.unpack(hidden)])
    for pooling, x in rows.items():
        expected = x @ model.classifier.weight.value + model.classifier.bias.value
        np.testing.assert_allclose(classifier(pooling=pooling)(tokens), expected, rtol=1e-12, atol=1e-12)


def test_an_old_folder_whose_config_says_cls_means_the_pooler(tmp_path):
    saved = classifier(np.float32)
    saved.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "classifier_pooling": "cls"}))
    loaded = BertForSequenceClassification.from_pretrained(tmp_path)
    tokens = random_tokens(saved.config)
    np.testing.assert_array_equal(loaded(tokens), saved(tokens))


def test_a_new_classifier_is_put_on_any_bert(tmp_path, recwarn):
    encoder = randomise(Bert(small_config()), std=0.5)
    encoder.save_pretrained(tmp_path)
    settings = ClassifierSettings(labels=LABELS)
    model = BertForSequenceClassification.from_pretrained(tmp_path, seed=3, settings=settings)
    assert not recwarn.list
    assert model.settings == settings
    _, pooled = encoder(random_tokens(encoder.config))
    expected = pooled @ model.classifier.weight.value + model.classifier.bias.value
    np.testing.assert_allclose(model(random_tokens(encoder.config)), expected, rtol=1e-5, atol=1e-6)


def test_a_new_classifier_takes_nothing_from_the_one_that_is_there(tmp_path):
    old = classifier(np.float32, hidden_sizes=(5,))
    old.save_pretrained(tmp_path)
    for labels in (LABELS, ("a", "b")):  # of the old shape, and of another
        settings = ClassifierSettings(labels, hidden_sizes=(5,))
        new = BertForSequenceClassification.from_pretrained(tmp_path, seed=3, settings=settings)
        fresh = BertForSequenceClassification(old.config, new.settings, seed=3)
        np.testing.assert_array_equal(new.classifier.weight.value, fresh.classifier.weight.value)
        np.testing.assert_array_equal(new.hidden_layers[0].weight.value, fresh.hidden_layers[0].weight.value)
        np.testing.assert_array_equal(new.bert.pooler.weight.value, old.bert.pooler.weight.value)


@pytest.mark.parametrize(
    ("lacking", "head"),
    [("classifier.weight", "classifier"), ("classifier.bias", "classifier"), ("bert.pooler.dense.weight", "pooler")],
)
def test_a_classifier_that_is_not_whole_is_refused(tmp_path, lacking, head):
    """With random values in its place it would answer, and always wrongly."""
    classifier(np.float32).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors[lacking]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=rf"model.safetensors has no {head}: it lacks {lacking}"):
        BertForSequenceClassification.from_pretrained(tmp_path)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_other_poolings_need_no_pooler(tmp_path, recwarn, pooling):
    saved = classifier(np.float32, pooling=pooling)
    saved.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: t for name, t in tensors.items() if "pooler" not in name}, tmp_path / "model.safetensors")
    loaded = BertForSequenceClassification.from_pretrained(tmp_path)
    assert not recwarn.list
    tokens = random_tokens(saved.config)
    np.testing.assert_array_equal(loaded(tokens), saved(tokens))


def test_a_new_classifier_on_the_pooler_says_if_there_is_none(tmp_path):
    Bert(small_config()).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: t for name, t in tensors.items() if "pooler" not in name}, tmp_path / "model.safetensors")
    with pytest.warns(UserWarning, match="has no pooler: new, with random values; train before you use it"):
        BertForSequenceClassification.from_pretrained(tmp_path, settings=ClassifierSettings(LABELS))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"problem_type": "ranking"}, "problem_type is one of single_label_classification, .*; found 'ranking'"),
        ({"pooling": "min"}, "pooling is one of pooler, cls, mean, max; found 'min'"),
        ({"labels": ("a", "b", "a")}, "must be different, found a, b, a"),
        ({"labels": ()}, "must be different, found none"),
        ({"hidden_sizes": (5, 0)}, r"whole numbers above 0, found \(5, 0\)"),
        ({"dropout": 1.0}, "classifier_dropout must be at least 0 and below 1, found 1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        ClassifierSettings(**settings)
