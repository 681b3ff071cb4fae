"""What config.json says of a classifier: its labels, how it answers, what it has on top of BERT.

    id2label, label2id           the labels by number and the other way round
    num_labels                   how many there are, in old folders that don't name them
    problem_type                 one label a text, several, or numbers
    classifier_dropout           dropout in the head; null for BERT's own
    classifier_pooling           not transformers': "pooler", "cls_row", "mean" or "max"; "cls", in old folders, is the
                                 pooler
    classifier_hidden_sizes      not transformers': the sizes of the dense layers below the classifier
    classifier_texts             not transformers': 1 if it was trained on texts, 2 if on pairs of texts
    sentence_transformers        activation_fn, which makes scores of logits in its CrossEncoder

Here it is a dictionary of ClassifierSettings' fields.

An adapter's folder must not have a config.json: others would take it for a whole model. A classifier's entries are then
in a file of their own, which they ignore.
"""

import re
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import is_there
from minitransformer.interop.config_file import CONFIG_FILE
from minitransformer.interop.model_files import ModelFiles
from minitransformer.interop.sentence_transformers_folder import PROMPTS_FILE
from minitransformer.settings_file import SettingsFile

CLASSIFIER_FILE = "minitransformer_classifier.json"

_POOLINGS = {"cls": "pooler", "pooler": "pooler", "cls_row": "cls", "mean": "mean", "max": "max"}
_ACTIVATIONS = {
    "torch.nn.modules.linear.Identity": "identity",
    "torch.nn.modules.activation.Sigmoid": "sigmoid",
    "torch.nn.modules.activation.Softmax": "softmax",
}
_MOST_LABELS = 1_000_000


def classifier_file(files: ModelFiles) -> Path:
    """The file with these entries."""
    own = files.folder / CLASSIFIER_FILE
    return own if is_there(own) else files.base / CONFIG_FILE


def read_classifier_entries(config: SettingsFile, num_labels: int | None = None) -> dict[str, Any]:
    """From what the file holds. As in transformers, one label alone without a problem_type is regression, whose answers
    are then squeezed between 0 and 1.

    Labels that aren't as many as num_labels, if that is known, are another classifier's: then they are LABEL_0 and so
    on. Raises UserError for a value that makes no sense.
    """
    labels = _labels(config)
    if num_labels not in (None, len(labels)):
        labels = tuple(f"LABEL_{i}" for i in range(num_labels))
    problem_type = config["problem_type"]
    hidden_sizes = config.get("classifier_hidden_sizes", list, [])
    pooling = config.one_of("classifier_pooling", _POOLINGS, "pooler")
    activation = _activation(config)
    if activation == "identity" and len(labels) > 1:
        activation = None  # a CrossEncoder gives the logits of several labels; the probabilities are wanted here
    if activation is None and problem_type is None and len(labels) == 1:
        activation = "sigmoid"
    return {
        "labels": labels,
        "problem_type": problem_type or ("regression" if len(labels) == 1 else "single_label_classification"),
        "pooling": _POOLINGS[pooling],
        "hidden_sizes": tuple(hidden_sizes),
        "dropout": config["classifier_dropout"],
        "num_texts": config["classifier_texts"],
        "activation": activation,
    }


def _labels(config: SettingsFile) -> tuple[str, ...]:
    id2label = config["id2label"]
    if id2label is None:
        count = config.get("num_labels", int, 2)
        if not 1 <= count <= _MOST_LABELS:
            raise UserError(f"{config.file}: num_labels must be at least 1 and at most a million, found {count}")
        id2label = {str(i): f"LABEL_{i}" for i in range(count)}
    if not isinstance(id2label, dict) or not all(re.fullmatch("[0-9]{1,9}", number) for number in id2label):
        raise UserError(f"{config.file}: id2label must give a label for each number, found {id2label!r:.80}")
    return tuple(str(id2label[i]) for i in sorted(id2label, key=int))


def _activation(config: SettingsFile) -> str | None:
    """What a CrossEncoder makes of the logits, by the file of version 6, by its own key here, or by the oldest one."""
    newest = SettingsFile.read(config.file.with_name(PROMPTS_FILE))["activation_fn"]
    given = config.get("sentence_transformers", dict, {}).get("activation_fn")
    name = newest or given or config["sbert_ce_default_activation_function"]
    if name is not None and name not in [*_ACTIVATIONS]:
        raise UserError(f"{config.file}: activation_fn is {name!r}, expected {' or '.join(_ACTIVATIONS)}")
    return None if name is None else _ACTIVATIONS[name]


def classifier_entries(settings: dict[str, Any]) -> dict[str, Any]:
    """What config.json holds of them."""
    poolings = {ours: theirs for theirs, ours in _POOLINGS.items()}
    activations = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    activation = settings["activation"]
    cross_encoder = {"activation_fn": activations[activation]} if activation else None
    return {
        "id2label": {str(i): label for i, label in enumerate(settings["labels"])},
        "label2id": {label: i for i, label in enumerate(settings["labels"])},
        "problem_type": settings["problem_type"],
        "classifier_dropout": settings["dropout"],
        "classifier_pooling": poolings[settings["pooling"]],
        "classifier_hidden_sizes": list(settings["hidden_sizes"]),
        **({} if settings["num_texts"] is None else {"classifier_texts": settings["num_texts"]}),
        **({"sentence_transformers": cross_encoder} if cross_encoder else {}),
    }
