"""Tables of texts: tab-separated files (TSV) in UTF-8, one example per line, plain or compressed with gzip.

The first line is a header: it names the columns (COLUMNS, in any case) in any order, and other columns are ignored.
There is no quoting: a field is everything between two tabs. Blank lines are skipped.

    sentence1<TAB>sentence2<TAB>score
    A plane is taking off.<TAB>An air plane is taking off.<TAB>5.0
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minitransformer.corpora.text_files import decode, open_text, read_lines
from minitransformer.errors import UserError

COLUMNS = {  # what a column is to this program: what a header may call it
    "text": ("text", "sentence"),
    "first": ("sentence1", "premise", "anchor", "text1", "query"),
    "second": ("sentence2", "hypothesis", "positive", "text2", "answer"),
    "negative": ("negative",),
    "label": ("label", "labels", "gold_label", "class"),
    "score": ("score", "similarity", "relatedness"),
}

Layout = tuple[str, ...]  # the columns that a reader wants, by their names in COLUMNS

TEXTS: Layout = ("text",)
LABELLED_TEXTS: Layout = ("text", "label")
SCORED_TEXTS: Layout = ("text", "score")
PAIRS: Layout = ("first", "second")
LABELLED_PAIRS: Layout = ("first", "second", "label")
SCORED_PAIRS: Layout = ("first", "second", "score")
TRIPLETS: Layout = ("first", "second", "negative")


class Table(NamedTuple):
    """Some columns of a file, an entry for each example, and the line that it comes from."""

    path: Path
    lines: list[int]  # from 1
    columns: dict[str, list[str]]

    @property
    def texts(self) -> tuple[list[str], ...]:
        """The columns of texts: one, two (pairs) or three (triplets)."""
        return tuple(column for name, column in self.columns.items() if name not in ("label", "score"))

    def where(self, example: int) -> str:
        """The file and the line of an example, as an error begins."""
        return f"{self.path}, line {self.lines[example]}"


def read_table(path: str | os.PathLike[str], *layouts: Layout) -> Table:
    """The columns of the first of the layouts that the file's header has all of.

    Raises UserError that names the line if the header has none of them whole, a line has more or fewer fields than the
    header, or a wanted field is empty.
    """
    path = Path(path)
    header, *rows = _read_rows(path)
    places = _places(path, header, layouts)
    table = Table(path, [row.line for row in rows], {column: [] for column in places})
    for line, fields in rows:
        if len(fields) != len(header.fields):
            expected = f"expected {len(header.fields)} tab-separated fields as in the header, found {len(fields)}"
            raise UserError(f"{path}, line {line}: {expected}; replace tabs inside texts by spaces")
        for column, place in places.items():
            if not fields[place]:
                empty = f"the field {header.fields[place]!r} is empty"
                raise UserError(f"{path}, line {line}: {empty}; fill it or delete the line")
            table.columns[column].append(fields[place])
    if not rows:
        raise UserError(f"{path} has a header, but no line after it")
    return table


class _Row(NamedTuple):
    line: int  # from 1
    fields: list[str]  # without the white space around them


def _read_rows(path: Path) -> list[_Row]:
    """All lines that aren't blank."""
    with open_text(path) as (text, _):
        lines = [(number, decode(line, path, number)) for number, line in enumerate(text, 1)]
    rows = [_Row(number, [field.strip() for field in line.split("\t")]) for number, line in lines if line.strip()]
    if not rows:
        raise UserError(f"{path} is empty; expected a header and tab-separated lines, one example per line")
    return rows


def has_columns(path: Path, *layouts: Layout) -> bool:
    """Whether a file's first line is a header with all columns of one of the layouts."""
    _, line = next(read_lines(path), (1, ""))
    known = _known_columns([field.strip() for field in line.split("\t")])
    return any(known.keys() >= set(layout) for layout in layouts)


def _known_columns(header: Sequence[str]) -> dict[str, int]:
    """The place of each column of COLUMNS that the header has."""
    names = [field.lower() for field in header]
    return {
        column: names.index(name)
        for column, known in COLUMNS.items()
        for name in reversed(known)  # of several that are there, the first counts
        if name in names
    }


def _places(path: Path, header: _Row, layouts: Sequence[Layout]) -> dict[str, int]:
    """The places of the columns of the first layout that the header has all of."""
    places = _known_columns(header.fields)
    for layout in layouts:
        if all(column in places for column in layout):
            return {column: places[column] for column in layout}
    missing = min(([column for column in layout if column not in places] for layout in layouts), key=len)
    expected = " or ".join(" ".join(_first_names(layout)) for layout in layouts)
    found = " ".join(header.fields)
    raise UserError(
        f"{path}, line {header.line} must be a header with the columns {expected}, separated by tabs; it lacks "
        f"{' and '.join(_first_names(missing))}, found: {found[:80]}{'...' * (len(found) > 80)}"
    )


def _first_names(columns: Sequence[str]) -> list[str]:
    return [COLUMNS[column][0] for column in columns]
