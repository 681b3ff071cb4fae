import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from minitransformer import SentenceEncoder
from minitransformer.errors import UserError
from minitransformer.models.siamese_network import SiameseNetwork, has_pair_classifier
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.regression import RegressionObjective
from tests.small_encoders import small_encoder

LABELS = ("contradiction", "entailment", "neutral")
FIRST, SECOND = ["my dog", "he likes playing", "a"], ["a dog", "he is cute", "b c"]
WEIGHTS, SETTINGS = "minitransformer_head.safetensors", "minitransformer_head.json"


def network(seed=3, components=("u", "|u-v|"), dtype=np.float32):
    encoder = small_encoder(dtype)
    objective = ClassificationObjective(encoder.embedding_size, 3, components, init_std=0.5)
    return SiameseNetwork(encoder, objective, LABELS, seed)


@pytest.fixture
def saved(tmp_path):
    network().save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_the_encoder_keeps_its_values_and_both_parts_live_in_one_storage():
    encoder, values = small_encoder(), small_encoder().storage.values
    objective = ClassificationObjective(encoder.embedding_size, 3)
    both = SiameseNetwork(encoder, objective, LABELS)
    assert {id(parameter.storage) for _, parameter in both.named_parameters()} == {id(both.storage)}
    assert both.num_parameters == values.size + 3 * 36 + 3
    for name, parameter in small_encoder().named_parameters():
        np.testing.assert_array_equal(dict(encoder.named_parameters())[name].value, parameter.value)


def test_the_first_classifier_is_a_function_of_the_seed():
    first, again, other = (network(seed).objective.classifier.weight.value for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_objective_without_weights_adds_none(tmp_path):
    encoder = small_encoder()
    both = SiameseNetwork(encoder, RegressionObjective())
    assert both.num_parameters == encoder.num_parameters
    both.save_pretrained(tmp_path)
    assert not has_pair_classifier(tmp_path)
    assert not (tmp_path / SETTINGS).exists()
    other = SiameseNetwork(small_encoder(seed=9), RegressionObjective())
    other.restore(tmp_path)
    np.testing.assert_array_equal(other.storage.values, both.storage.values)


def test_the_probabilities_are_the_softmax_of_the_classifier_on_both_embeddings():
    both = network()
    u, v = both.encoder.encode(FIRST), both.encoder.encode(SECOND)
    logits = np.hstack([u, np.abs(u - v)]) @ both.objective.classifier.weight.value
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(both.classify(FIRST, SECOND), expected, rtol=1e-4)


def test_a_saved_classifier_answers_the_same_again(saved):
    again = SiameseNetwork.from_pretrained(saved)
    assert again.labels == LABELS
    assert again.objective.components == ("u", "|u-v|")
    np.testing.assert_array_equal(again.classify(FIRST, SECOND), network().classify(FIRST, SECOND))
    assert SiameseNetwork.from_pretrained(saved, np.float64).classify(FIRST, SECOND).dtype == np.float64


def test_the_folder_is_a_sentence_encoder_like_any_other(saved, recwarn):
    np.testing.assert_array_equal(SentenceEncoder.from_pretrained(saved).encode(FIRST), small_encoder().encode(FIRST))
    assert not recwarn.list
    assert {tuple(tensor.shape) for tensor in load_file(saved / WEIGHTS).values()} == {(3, 24), (3,)}


def test_a_network_restored_from_a_folder_has_all_its_values(saved):
    restored = network(seed=8)
    restored.storage.values[:] = 0
    restored.restore(saved)
    np.testing.assert_array_equal(restored.storage.values, network().storage.values)


def test_a_replica_shares_values_and_has_its_own_gradients():
    both = network()
    replica = both.replica()
    replica.zero_grad()
    replica.storage.gradients[:] = 1
    both.zero_grad()
    assert replica.storage.values is both.storage.values
    assert replica.objective.classifier.weight.grad.all()
    assert not both.objective.classifier.weight.grad.any()


def lose(file):
    def change(folder):
        (folder / file).unlink()

    return change


def write(settings):
    def change(folder):
        (folder / SETTINGS).write_text(json.dumps(settings))

    return change


def without(name):
    def change(folder):
        tensors = load_file(folder / WEIGHTS)
        save_file({other: tensor for other, tensor in tensors.items() if other != name}, folder / WEIGHTS)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lose(WEIGHTS), "has no pair classifier; train-sbert --objective classification makes one"),
        (lose(SETTINGS), rf"{SETTINGS} can't be read"),
        (write({}), rf"{SETTINGS}: labels must be a list of different names, found None"),
        (write({"labels": [1], "components": ["u"]}), r"labels must be a list of different names, found \[1\]"),
        (write({"labels": ["a", "a", "b"], "components": ["u"]}), "labels must be a list of different names"),
        (write({"labels": LABELS, "components": "u"}), "components must be a list of different names, found 'u'"),
        (write({"labels": LABELS, "components": ["u", "w"]}), rf"{SETTINGS}: components must be some of .*'w'"),
        (write({"labels": LABELS, "components": []}), rf"{SETTINGS}: components must be some of"),
        (write({"labels": LABELS, "components": ["u"]}), rf"{WEIGHTS}: .* \[3, 24\], but .* \[3, 12\]"),
        (write({"labels": LABELS[:2], "components": ["u", "v"]}), rf"{WEIGHTS}: .* the shape \[3"),
        (without("classifier.bias"), rf"{WEIGHTS} lacks classifier.bias"),
    ],
)
def test_a_classifier_that_is_not_whole_is_refused_and_its_file_named(saved, change, message):
    change(saved)
    with pytest.raises(UserError, match=message):
        SiameseNetwork.from_pretrained(saved)
