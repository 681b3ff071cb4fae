"""What a model should answer, as the numbers that it is trained on: labels and scores from the columns of a table."""

import math
import warnings
from collections.abc import Collection, Sequence

import numpy as np

from minitransformer.corpora.tables import Table
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray

SEPARATOR = ","  # between the labels of one text, where it may have several
NOT_LABELS = frozenset(("-", "nan", "null", "<na>", "#n/a"))  # in place of one: SNLI's, pandas', spreadsheets'


def with_labels(table: Table) -> Table:
    """The examples that have a label; a note says how many are left out because something else stands for one.

    SNLI has a "-" where the annotators don't agree. Where there is a "+" as well, both are labels. Raises UserError if
    no example has a label. A table without labels is returned as it is.
    """
    labels = table.columns.get("label", [])
    without = NOT_LABELS - {"-"} if "+" in labels else NOT_LABELS
    kept = [example for example, label in enumerate(labels) if label.lower() not in without]
    if len(kept) == len(labels):
        return table
    marks = ", ".join(sorted({repr(label) for label in labels if label.lower() in without}))
    if not kept:
        raise UserError(f"{table.path}: no line has a label, only {marks}; label the examples to learn from them")
    left_out = f"{len(labels) - len(kept):,} of {len(labels):,} lines have no label, but {marks}"
    warnings.warn(f"{table.path}: {left_out}; they are left out", stacklevel=3)
    return table.select(kept)


def label_names(table: Table, several: bool = False) -> tuple[str, ...]:
    """The different labels of a table in their order: 2 before 10 if all are whole numbers, otherwise alphabetical.

    With `several`, a field holds any number of labels with commas between them, or none. Raises UserError if all
    examples have the same label (there is nothing to tell apart), or if the labels are numbers that aren't classes.
    """
    fields = enumerate(table.columns["label"])
    names = {name for example, field in fields for name in _names_in(field, several, table, example)}
    if len(names) < (1 if several and "" in table.columns["label"] else 2):
        same = f"all {len(table.lines)} lines have the label {min(names, default='')!r}"
        raise UserError(f"{table.path}: {same}; a classifier needs examples of at least two")
    check_are_classes(names, table)
    whole_numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=int) if whole_numbers else sorted(names))


def label_ids(table: Table, names: Sequence[str]) -> IntArray:
    """(n,) the place of each example's label among `names`. Raises UserError that names the line of an unknown one."""
    ids = {name: i for i, name in enumerate(names)}
    return np.array([_id(field, ids, table, example) for example, field in enumerate(table.columns["label"])])


def label_matrix(table: Table, names: Sequence[str]) -> np.ndarray:
    """(n, K), True where an example has the label; fields hold labels with commas between them. Errors: label_ids."""
    ids = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(table.lines), len(names)), bool)
    for example, field in enumerate(table.columns["label"]):
        for name in _names_in(field, True, table, example):
            matrix[example, _id(name, ids, table, example)] = True
    return matrix


def scores(table: Table) -> np.ndarray:
    """(n,) the scores. Raises UserError that names the line of one that isn't a finite number."""
    return np.array([_score(field, table, example) for example, field in enumerate(table.columns["score"])])


def different_scores(table: Table) -> np.ndarray:
    """As `scores`; raises UserError if all are equal, too: there is no order to learn or to measure then."""
    found = scores(table)
    if np.ptp(found) == 0:
        raise UserError(f"{table.path}: all {len(found)} lines have the score {found[0]:g}; expected different ones")
    return found


def targets_of(table: Table, problem_type: str, names: Sequence[str]) -> np.ndarray:
    """What a classifier's loss compares its logits with: label ids (n,), labels (n, K) or scores (n, 1)."""
    if problem_type == "regression":
        return scores(table)[:, None]
    return (label_matrix if problem_type == "multi_label_classification" else label_ids)(table, names)


def answerable(table: Table, problem_type: str, names: Sequence[str]) -> list[int]:
    """The examples whose score is a number, or whose labels are all among `names`: those that an answer can match."""
    if problem_type == "regression":
        return [example for example, field in enumerate(table.columns["score"]) if math.isfinite(_number(field))]
    labels = [{field} for field in table.columns["label"]]
    if problem_type == "multi_label_classification":
        labels = [{name.strip() for name in field.split(SEPARATOR) if name} for field in table.columns["label"]]
    return [example for example, found in enumerate(labels) if found <= {*names}]


def check_are_classes(names: Collection[str], table: Table) -> None:
    """Raise UserError for numbers on a scale, and for the -1 that stands for an unknown label where others count up."""
    numbers = {_number(name): name for name in sorted(names)}
    if all(map(math.isfinite, numbers)):
        if fractions := [name for number, name in numbers.items() if number % 1]:
            scale = f"the labels are numbers such as {fractions[0]}, not classes"
            raise UserError(f"{table.path}: {scale}; name the column score to train on the numbers themselves")
        if {-1, 0} <= numbers.keys():
            unknown = "-1 stands among the labels 0, 1 ..., as in tables in which it means that the label isn't known"
            raise UserError(f"{table.path}: {unknown}; delete these lines or, if it is a class, give it a name")


def _names_in(field: str, several: bool, table: Table, example: int) -> list[str]:
    if several and not field:
        return []
    names = [name.strip() for name in field.split(SEPARATOR)] if several else [field]
    if not all(names):
        raise UserError(f"{table.where(example)}: there is an extra comma in the labels {field!r}; delete it")
    return names


def _id(name: str, ids: dict[str, int], table: Table, example: int) -> int:
    if name not in ids:
        hint = ", or use --multi-label if it means several labels" if SEPARATOR in name else ""
        known = ", ".join(list(ids)[:10]) + (", ..." if len(ids) > 10 else "")
        unknown = f"the label {name!r} is none of those that the model is trained on ({known})"
        raise UserError(f"{table.where(example)}: {unknown}; correct it or delete the line{hint}")
    return ids[name]


def _number(field: str) -> float:
    """nan for what isn't a number."""
    try:
        return float(field)
    except ValueError:
        return math.nan


def _score(field: str, table: Table, example: int) -> float:
    score = _number(field)
    if not math.isfinite(score):
        wrong = f"the score {field!r} is not a finite number"
        raise UserError(f"{table.where(example)}: {wrong}; correct it or delete the line")
    return score
