"""What config.json says of a classifier: its labels, how it answers, what it has on top of BERT.

    id2label, label2id           the labels by number and the other way round
    problem_type                 one label a text, several, or numbers
    classifier_dropout           dropout in the head; null for BERT's own
    classifier_pooling           not transformers': "pooler", "cls_row" or "mean"; "cls", in old folders, is the pooler
    classifier_hidden_sizes      not transformers': the sizes of the dense layers below the classifier

Here it is a dictionary of ClassifierSettings' fields.
"""

import re
from typing import Any

from minitransformer.errors import UserError

_POOLINGS = {"cls": "pooler", "pooler": "pooler", "cls_row": "cls", "mean": "mean"}


def read_classifier_entries(config: dict[str, Any]) -> dict[str, Any]:
    """From what config.json holds. As in transformers, one label alone without a problem_type is regression.

    Raises UserError for a value that makes no sense.
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
    default_problem = "regression" if len(labels) == 1 else "single_label_classification"
    return {
        "labels": labels,
        "problem_type": config.get("problem_type") or default_problem,
        "pooling": _POOLINGS[pooling],
        "hidden_sizes": tuple(hidden_sizes),
        "dropout": config.get("classifier_dropout"),
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
    }
