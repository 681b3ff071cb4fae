"""What a model should answer, as the numbers that it is trained on: labels and scores from the columns of a table."""

import math
from collections.abc import Sequence

import numpy as np

from minitransformer.corpora.tables import Table
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray

SEPARATOR = ","  # between the labels of one text, where it may have several


def label_names(table: Table, several: bool = False) -> tuple[str, ...]:
    """The different labels of a table in their order: 2 before 10 if all are whole numbers, otherwise alphabetical.

    With `several`, a field holds any number of labels with commas between them. Raises UserError if all examples have
    the same label: there is nothing to tell apart.
    """
    fields = enumerate(table.columns["label"])
    names = {name for example, field in fields for name in _names_in(field, several, table, example)}
    if len(names) < 2:
        same = f"all {len(table.lines)} lines have the label {min(names)!r}"
        raise UserError(f"{table.path}: {same}; a classifier needs examples of at least two")
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


def _names_in(field: str, several: bool, table: Table, example: int) -> list[str]:
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


def _score(field: str, table: Table, example: int) -> float:
    try:
        score = float(field)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        wrong = f"the score {field!r} is not a finite number"
        raise UserError(f"{table.where(example)}: {wrong}; correct it or delete the line")
    return score
