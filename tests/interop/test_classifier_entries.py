import dataclasses
import json
from pathlib import Path

import pytest

from minitransformer import ClassifierSettings
from minitransformer.errors import UserError
from minitransformer.interop.classifier_entries import classifier_entries, read_classifier_entries
from minitransformer.settings_file import SettingsFile

IDENTITY = "torch.nn.modules.linear.Identity"
SIGMOID = "torch.nn.modules.activation.Sigmoid"


def read(entries):
    return ClassifierSettings(**read_classifier_entries(SettingsFile(Path("config.json"), entries)))


@pytest.mark.parametrize(
    "settings",
    [
        ClassifierSettings(),
        ClassifierSettings(("a", "b", "c"), "multi_label_classification", "mean", (7, 5), 0.25),
        ClassifierSettings(("score",), "regression", "cls"),
        ClassifierSettings(("score",), "regression", activation="sigmoid"),
        ClassifierSettings(tuple(f"label {i}" for i in range(12))),  # 10 comes after 9, not after 1
    ],
)
def test_what_is_written_is_read_again(settings):
    assert read(classifier_entries(dataclasses.asdict(settings))) == settings


def test_a_config_that_says_nothing_means_what_it_means_to_transformers():
    assert read({}) == ClassifierSettings(("LABEL_0", "LABEL_1"), "single_label_classification", "pooler")
    assert read({"id2label": {"0": "score"}}).problem_type == "regression"
    assert read({"id2label": None, "label2id": None, "problem_type": None}) == read({})
    assert read({"id2label": {"1": "b", "0": "a"}}).labels == ("a", "b")


def test_old_folders_say_how_many_labels_there_are_and_dont_name_them():
    assert read({"num_labels": 3, "finetuning_task": "mnli"}).labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert read({"num_labels": 3, "id2label": {"0": "a", "1": "b"}}).labels == ("a", "b")


@pytest.mark.parametrize(
    ("entries", "answers"),
    [
        ({"num_labels": 1}, "sigmoid"),
        ({"num_labels": 1, "problem_type": "regression"}, "identity"),
        ({"num_labels": 1, "sentence_transformers": {"activation_fn": IDENTITY, "version": "5.0.0"}}, "identity"),
        ({"num_labels": 1, "problem_type": "regression", "sbert_ce_default_activation_function": SIGMOID}, "sigmoid"),
        ({"num_labels": 3}, "softmax"),
        ({"num_labels": 3, "sentence_transformers": {"activation_fn": IDENTITY}}, "softmax"),
        ({"num_labels": 3, "problem_type": "multi_label_classification"}, "sigmoid"),
    ],
)
def test_what_an_answer_makes_of_the_logits_is_as_in_a_cross_encoder(entries, answers):
    assert read(entries).answers == answers


def test_version_6_of_cross_encoder_has_a_file_for_it(tmp_path):
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps({"activation_fn": IDENTITY}))
    config = SettingsFile(tmp_path / "config.json", {"num_labels": 1})
    assert read_classifier_entries(config)["activation"] == "identity"


def test_cls_in_an_old_folder_is_the_pooler_and_new_folders_dont_say_it():
    assert read({"classifier_pooling": "cls"}).pooling == "pooler"
    assert classifier_entries(dataclasses.asdict(ClassifierSettings(pooling="cls")))["classifier_pooling"] == "cls_row"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"id2label": ["a", "b"]}, r"id2label must give a label for each number, found \['a', 'b'\]"),
        ({"id2label": {"a": 0, "b": 1}}, "id2label must give a label for each number"),
        ({"id2label": {"9" * 5000: "a"}}, "id2label must give a label for each number"),
        ({"id2label": {"0": "a", "1": "b\n"}}, "a label is text on one line, found 'b"),
        ({"num_labels": 0}, "num_labels must be at least 1 and at most a million, found 0"),
        ({"num_labels": 10**12}, "num_labels must be at least 1 and at most a million, found 1000000000000"),
        ({"sentence_transformers": {"activation_fn": "os.system"}}, "activation_fn is 'os.system', expected torch.nn"),
        ({"id2label": {"0": "a", "1": "a"}}, "must be different, found a, a"),
        ({"problem_type": ["regression"]}, r"problem_type is one of .*; found \['regression'\]"),
        ({"classifier_pooling": 7}, "classifier_pooling is 7, expected cls or pooler or cls_row or mean"),
        ({"classifier_pooling": ["mean"]}, r"classifier_pooling is \['mean'\]"),
        ({"classifier_hidden_sizes": 7}, "classifier_hidden_sizes must be a list, found 7"),
        ({"classifier_hidden_sizes": ["7"]}, r"whole numbers above 0, found \('7',\)"),
        ({"classifier_dropout": "0.1"}, "classifier_dropout must be at least 0 and below 1, found '0.1'"),
    ],
)
def test_values_that_make_no_sense_are_refused(entries, message):
    with pytest.raises(UserError, match=message):
        read(entries)
