"""Tables of texts: a header and then one example per line, in UTF-8, plain or compressed with gzip.

The header names the columns (COLUMNS, in any case) in any order; a note names those that aren't used. Between fields
there are tabs; what pandas and spreadsheets write, quoted or with commas, is read as well (corpora/dialects.py). Blank
lines are skipped.

    sentence1<TAB>sentence2<TAB>score
    A plane is taking off.<TAB>An air plane is taking off.<TAB>5.0
"""

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from minitransformer.corpora.dialects import Row, delimiter_of, read_rows
from minitransformer.corpora.text_files import NumberedLine, decoded_lines, open_text
from minitransformer.errors import UserError

COLUMNS = {  # what a column is to this program: what a header may call it
    "text": ("text", "sentence"),
    "first": ("sentence1", "premise", "anchor", "text1", "query", "question1", "question", "sentence_a", "#1 string"),
    "second": (
        *("sentence2", "hypothesis", "positive", "text2", "answer", "question2", "sentence_b", "#2 string"),
        *("positive_1", "response", "passage", "document"),
    ),
    "negative": ("negative",),  # also negative_1, negative_2 and so on
    "source": ("source", "src"),
    "target": ("target", "tgt"),
    "label": ("label", "labels", "gold_label", "class", "is_duplicate", "quality", "entailment_judgment"),
    "score": ("score", "similarity", "relatedness", "similarity_score", "relatedness_score"),
}
_NAME = re.compile(r'"?[^\W\d][\w#.-]*"?')
_NUMBERED_NEGATIVE = re.compile(r"negative_?\d+")

Layout = tuple[str, ...]  # the columns that a reader wants, by their names in COLUMNS

TEXTS: Layout = ("text",)
LABELLED_TEXTS: Layout = ("text", "label")
SCORED_TEXTS: Layout = ("text", "score")
PAIRS: Layout = ("first", "second")
LABELLED_PAIRS: Layout = ("first", "second", "label")
SCORED_PAIRS: Layout = ("first", "second", "score")
TRANSLATIONS: Layout = ("source", "target")
TRIPLETS: Layout = ("first", "second", "negative")

_MOST_NAMES = 8  # in a message


class Table(NamedTuple):
    """Some columns of a file, an entry for each example, and the line that it comes from.

    With the column "negative" come all further columns of negatives. `names` are the columns as the header calls them,
    `others` those of COLUMNS that are left out.
    """

    path: Path
    lines: list[int]  # from 1
    columns: dict[str, list[str]]
    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[list[str], ...]:
        """The columns of texts: one, two (pairs), three (triplets) or more (triplets with several negatives)."""
        return tuple(column for name, column in self.columns.items() if name not in ("label", "score"))

    def where(self, example: int) -> str:
        """The file and the line of an example, as an error begins."""
        return f"{self.path}, line {self.lines[example]}"

    def select(self, examples: Sequence[int]) -> "Table":
        """The table of these examples alone."""
        columns = {name: [column[i] for i in examples] for name, column in self.columns.items()}
        return self._replace(lines=[self.lines[i] for i in examples], columns=columns)


def read_table(path: str | os.PathLike[str], *layouts: Layout, may_be_empty: Sequence[str] = ()) -> Table:
    """The columns of the first of the layouts that the file's header has all of.

    Raises UserError that names the line if the header has none of them whole, a line has more or fewer fields than the
    header, or a wanted field is empty, unless it is of a column that may be.
    """
    with open_text(Path(path)) as (text, _):
        return table_of(decoded_lines(text, str(path)), path, *layouts, may_be_empty=may_be_empty)


def table_of(
    lines: Iterable[NumberedLine], source: str | os.PathLike[str], *layouts: Layout, may_be_empty: Sequence[str] = ()
) -> Table:
    """As read_table, from the lines of a table that error messages call `source`."""
    rows = read_rows(lines, str(source))
    if not rows:
        raise UserError(f"{source} is empty; expected a header and tab-separated lines, one example per line")
    header, *rows = rows
    places, others = _places(source, header, layouts)
    names = tuple(header.fields[place] for place in places.values())
    table = Table(Path(source), [row.line for row in rows], {column: [] for column in places}, names, others)
    for line, fields in rows:
        if len(fields) != len(header.fields):
            expected = f"expected {len(header.fields)} fields as in the header, found {len(fields)}"
            raise UserError(
                f"{source}, line {line}: {expected}; replace tabs inside texts by spaces, or quote the text"
            )
        for column, place in places.items():
            if not fields[place] and column not in may_be_empty:
                empty = f"the field {header.fields[place]!r} is empty"
                raise UserError(f"{source}, line {line}: {empty}; fill it or delete the line")
            table.columns[column].append(fields[place])
    if not rows:
        raise UserError(f"{source} has a header, but no line after it")
    return table


def is_header(line: str, *layouts: Layout) -> bool:
    """Whether a line is a header with all columns of one of the layouts. (With commas, it has no spaces.)"""
    delimiter = delimiter_of(line, "")
    if delimiter != "\t" and " " in line.strip():
        return False
    known = _known_columns([field.strip().strip('"') for field in line.split(delimiter)])
    return any(known.keys() >= set(layout) for layout in layouts)


def looks_like_header(lines: Sequence[str]) -> bool:
    """Whether the first of some lines has names where the others have texts or numbers: two or more, in each a word."""
    header, *others = lines
    delimiter = delimiter_of(header, "")
    names = header.split(delimiter)
    rows = [line.split(delimiter) for line in others if line.strip()]
    if len(names) < 2 or not rows or not all(map(_NAME.fullmatch, names)):
        return False
    if any(len(row) != len(names) for row in rows):
        return False
    return any(not any(_NAME.fullmatch(row[place].strip()) for row in rows) for place in range(len(names)))


def _known_columns(header: Sequence[str]) -> dict[str, int]:
    """The place of each column of COLUMNS that the header has, and of each further column of negatives."""
    names = [field.lower() for field in header]
    places = {
        column: names.index(name)
        for column, known in COLUMNS.items()
        for name in reversed(known)  # of several that are there, the first counts
        if name in names
    }
    if "question" in names and "sentence" in names and "second" not in places:  # of GLUE's QNLI
        places["second"] = places.pop("text")
    for name in names:
        if _NUMBERED_NEGATIVE.fullmatch(name):
            places["negative" if "negative" not in places else name] = names.index(name)
    return places


def _places(
    source: str | os.PathLike[str], header: Row, layouts: Sequence[Layout]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The places of the columns of the first layout that the header has all of, and which others it knows."""
    known = _known_columns(header.fields)
    for layout in layouts:
        if all(column in known for column in layout):
            negatives = [name for name in known if "negative" in layout and _NUMBERED_NEGATIVE.fullmatch(name)]
            places = {column: known[column] for column in (*layout, *negatives)}
            _check_once(source, header, places)
            _note_unused([name for place, name in enumerate(header.fields) if place not in places.values()], source)
            return places, tuple(column for column in known if column not in places)
    missing = min(([column for column in layout if column not in known] for layout in layouts), key=len)
    expected = " or ".join(" ".join(_first_names(layout)) for layout in layouts)
    raise UserError(
        f"{source}, line {header.line} must be a header with the columns {expected}, separated by tabs; it lacks "
        f"{' and '.join(_first_names(missing))}, found: {_shown(' '.join(header.fields))}"
    )


def _check_once(source: str | os.PathLike[str], header: Row, places: dict[str, int]) -> None:
    names = [field.lower() for field in header.fields]
    for place in places.values():
        if names.count(names[place]) > 1:
            twice = f"the column {header.fields[place]} is there {names.count(names[place])} times"
            raise UserError(f"{source}, line {header.line}: {twice}; give each a name of its own")


def _note_unused(names: list[str], source: str | os.PathLike[str]) -> None:
    """Say which columns take no part: a text may be in one of them."""
    if named := [_shown(name) for name in names if name]:
        more = f" and {len(named) - _MOST_NAMES} more" if len(named) > _MOST_NAMES else ""
        columns = "the column" if len(named) == 1 else "the columns"
        are = "is" if len(named) == 1 else "are"
        warnings.warn(f"{source}: {columns} {', '.join(named[:_MOST_NAMES])}{more} {are} not used", stacklevel=5)


def _shown(text: str) -> str:
    """The beginning of a text from a file, without what would change a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:80]) + "..." * (len(text) > 80)


def _first_names(columns: Sequence[str]) -> list[str]:
    return [COLUMNS[column][0] for column in columns]
