"""The table of pairs of searches of which people said whether they mean the same.

first<TAB>second<TAB>same
mac and cheese<TAB>mac & cheese<TAB>yes
chocolate milk<TAB>milk chocolate<TAB>no
"""

import os
from typing import NamedTuple

from minitransformer.corpora.columns import place_of, read_rows
from minitransformer.errors import UserError

SAME_COLUMNS = ("same", "duplicate", "label")
YES, NO = ("yes", "1", "true"), ("no", "0", "false")


class LabelledPair(NamedTuple):
    first: str
    second: str
    same: bool


def read_labelled_pairs(path: str | os.PathLike[str]) -> list[LabelledPair]:
    """The pairs of a table with the columns first, second and same (or duplicate, or label): yes or no, 1 or 0.

    Raises UserError that names the line if a text is empty or the label is something else, and unless at least two mean
    the same and one doesn't: one of the two is to choose a threshold on, the other to measure it on.
    """
    header, rows = read_rows(path)
    first, second, same = (place_of(path, header, names) for names in (("first",), ("second",), SAME_COLUMNS))
    pairs = []
    for line, values in rows:
        if not (values[first].strip() and values[second].strip()):
            raise UserError(f"{path}, line {line}: a text is empty; fill it or delete the line")
        label = values[same].strip().lower()
        if label not in YES + NO:
            raise UserError(f"{path}, line {line}: {values[same]!r} says neither yes nor no; expected one of them")
        pairs.append(LabelledPair(values[first], values[second], label in YES))
    same = sum(pair.same for pair in pairs)
    if same < 2 or same == len(pairs):
        expected = "expected at least two pairs that mean the same, and one that doesn't"
        raise UserError(f"{path}: {expected}; found {same:,} and {len(pairs) - same:,}")
    return pairs
