"""The settings of a classifier in config.json: its labels, how it answers, what stands on top of BERT.

id2label, label2id           the labels by number and the other way round
problem_type                 one label a text, several, or numbers
classifier_dropout           dropout in the head; null for BERT's own
classifier_pooling           ours, with ModernBERT's name: "cls" or "mean"
classifier_hidden_sizes      ours: the sizes of the dense layers below the classifier
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minitransformer.errors import UserError

PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")
POOLINGS = ("cls", "mean")


@dataclass(frozen=True)
class ClassifierSettings:
    """What makes a BERT a classifier, beside its weights.

    labels          the names of the classes, or of the numbers in regression; one logit each
    problem_type    "single_label_classification": each text has one label
                    "multi_label_classification": each text has any number of labels
                    "regression": each label is a number to predict
    pooling         "cls": BERT's pooler on the row of [CLS], as in the paper; "mean": the mean of all rows
    hidden_sizes    of dense layers between the pooled row and the classifier
    dropout         before each layer of the head; None for the config's hidden_dropout_prob

    Raises UserError for a value that isn't one of these.
    """

    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")
    problem_type: str = "single_label_classification"
    pooling: str = "cls"
    hidden_sizes: tuple[int, ...] = ()
    dropout: float | None = None

    def __post_init__(self) -> None:
        if self.problem_type not in PROBLEM_TYPES:
            raise UserError(f"problem_type is one of {', '.join(PROBLEM_TYPES)}; found {self.problem_type!r}")
        if self.pooling not in POOLINGS:
            raise UserError(f"a classifier's pooling is one of {', '.join(POOLINGS)}; found {self.pooling!r}")
        if len(set(self.labels)) < max(1, len(self.labels)):
            raise UserError(f"the labels of a classifier must be different, found {', '.join(self.labels) or 'none'}")
        if not all(isinstance(size, int) and size > 0 for size in self.hidden_sizes):
            raise UserError(f"the hidden sizes of a classifier are whole numbers above 0, found {self.hidden_sizes}")
        if self.dropout is not None and not (isinstance(self.dropout, int | float) and 0 <= self.dropout < 1):
            raise UserError(f"classifier_dropout must be at least 0 and below 1, found {self.dropout!r}")


def read_classifier_settings(settings: dict[str, Any]) -> ClassifierSettings:
    """From the settings in a config.json. As in transformers, one label alone without a problem_type is regression.

    Raises UserError for a value that makes no sense.
    """
    id2label = settings.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(id2label, dict) or not all(re.fullmatch("[0-9]{1,9}", number) for number in id2label):
        raise UserError(f"id2label must give a label for each number, found {str(id2label)[:80]}")
    hidden_sizes = settings.get("classifier_hidden_sizes") or []
    if not isinstance(hidden_sizes, list):
        raise UserError(f"classifier_hidden_sizes must be a list, found {hidden_sizes!r}")
    labels = tuple(str(id2label[i]) for i in sorted(id2label, key=int))
    default_problem = "regression" if len(labels) == 1 else "single_label_classification"
    return ClassifierSettings(
        labels=labels,
        problem_type=settings.get("problem_type") or default_problem,
        pooling=settings.get("classifier_pooling") or "cls",
        hidden_sizes=tuple(hidden_sizes),
        dropout=settings.get("classifier_dropout"),
    )


def classifier_entries(settings: ClassifierSettings) -> dict[str, Any]:
    """What config.json holds of them."""
    return {
        "id2label": {str(i): label for i, label in enumerate(settings.labels)},
        "label2id": {label: i for i, label in enumerate(settings.labels)},
        "problem_type": settings.problem_type,
        "classifier_dropout": settings.dropout,
        "classifier_pooling": settings.pooling,
        "classifier_hidden_sizes": list(settings.hidden_sizes),
    }
