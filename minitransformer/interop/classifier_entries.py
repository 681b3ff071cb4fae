"""What config.json says of a classifier: its labels, how it answers, what it has on top of BERT.

    id2label, label2id           the labels by number and the other way round
    problem_type                 one label a text, several, or numbers
    classifier_dropout           dropout in the head; null for BERT's own
    classifier_pooling           not transformers': "pooler", "cls_row" or "mean"; "cls", in old folders, is the pooler
    classifier_hidden_sizes      not transformers': the sizes of the dense layers below the classifier
    classifier_texts             not transformers': 1 if it was trained on texts, 2 if on pairs of texts

Here it is a dictionary of ClassifierSettings' fields.

An adapter's folder must not have a config.json: others would take it for a whole model. A classifier's entries are then
in a file of their own, which they ignore.
"""

import re
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.interop.config_file import CONFIG_FILE
from minitransformer.interop.model_files import ModelFiles

CLASSIFIER_FILE = "minitransformer_classifier.json"

_POOLINGS = {"cls": "pooler", "pooler": "pooler", "cls_row": "cls", "mean": "mean"}


def classifier_file(files: ModelFiles) -> Path:
    """The file with these entries."""
    own = files.folder / CLASSIFIER_FILE
    return own if own.exists() else files.base / CONFIG_FILE


def read_classifier_entries(config: dict[str, Any], num_labels: int | None = None) -> dict[str, Any]:
    """From what the file holds. As in transformers, one label alone without a problem_type is regression.

    Labels that aren't as many as num_labels, if that is known, are another classifier's: then they are LABEL_0 and so
    on. Raises UserError for a value that makes no sense.
    """
    id2label = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(id2label, dict) or not all(re.fullmatch("[0-9]{1,9}", number) for number in id2label):
        raise UserError(f"id2label must give a label for each number, found {str(id2label)[:80]}")
    hidden_sizes = config.get("classifier_hidden_sizes") or []
    if not isinstance(hidden_sizes, list):
        raise UserError(f"classifier_hidden_sizes must be a list, found {hidden_sizes!r}")
    pooling = config.get("classifier_pooling") or "pooler"
    if pooling not in [*_POOLINGS]:  # a list: what config.json holds may be unhashable
        raise UserError(f"classifier_pooling is {pooling!r}, expected one of {', '.join(_POOLINGS)}")
    labels = tuple(str(id2label[i]) for i in sorted(id2label, key=int))
    if num_labels not in (None, len(labels)):
        labels = tuple(f"LABEL_{i}" for i in range(num_labels))
    default_problem = "regression" if len(labels) == 1 else "single_label_classification"
    return {
        "labels": labels,
        "problem_type": config.get("problem_type") or default_problem,
        "pooling": _POOLINGS[pooling],
        "hidden_sizes": tuple(hidden_sizes),
        "dropout": config.get("classifier_dropout"),
        "num_texts": config.get("classifier_texts"),
    }


def classifier_entries(settings: dict[str, Any]) -> dict[str, Any]:
    """What config.json holds of them."""
    poolings = {ours: theirs for theirs, ours in _POOLINGS.items()}
    return {
        "id2label": {str(i): label for i, label in enumerate(settings["labels"])},
        "label2id": {label: i for i, label in enumerate(settings["labels"])},
        "problem_type": settings["problem_type"],
        "classifier_dropout": settings["dropout"],
        "classifier_pooling": poolings[settings["pooling"]],
        "classifier_hidden_sizes": list(settings["hidden_sizes"]),
        **({} if settings["num_texts"] is None else {"classifier_texts": settings["num_texts"]}),
    }
