"""From the lines of a table to its fields, in whichever way they were written.

    plain     tabs between the fields, and no quoting: a field is everything between two tabs
    quoted    tabs between the fields. Those that hold a tab, a quotation mark or a line break (for spreadsheets: or a
              comma) are in quotation marks, and a mark inside is doubled; or all fields are, or all but numbers
    CSV       the same with commas, or semicolons, between the fields (RFC 4180)

A header without a tab, but with commas or semicolons, is that of a CSV. Marks at the ends of a field don't say that it
is quoted, since people write "Hello." too: a table with tabs is quoted if its header is, or if a program that quotes
would have written each of its lines exactly as it is.
"""

import csv
import re
import warnings
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from minitransformer.corpora.text_files import NumberedLine
from minitransformer.errors import UserError

MAX_TABLE_CHARACTERS, MAX_FIELD_CHARACTERS = 500_000_000, 1_000_000  # a table is held in memory as a whole

_QUOTED_BY = (  # which fields a program puts into quotation marks
    re.compile(r'["\t\n]'),  # pandas and csv
    re.compile(r'["\t\n,]'),  # spreadsheets
)
_LOOKS_QUOTED = re.compile(r'(^|\t)"[^\t]*""[^\t]*"(\t|$)')


class Row(NamedTuple):
    line: int  # from 1; the first, if the row has several
    fields: list[str]  # without white space around them, and on one line


def read_rows(lines: Iterable[NumberedLine], source: str) -> list[Row]:
    """The rows of a table that aren't blank; a note says in which dialect it is written, if that isn't the plain one.

    Raises UserError that names the line if quotation marks aren't closed, or a field is longer than any text.
    """
    kept = _bounded(lines, source)
    header = next((line for _, line in kept if line.strip()), "")
    if re.match(r"\s*[{[]", header):
        raise UserError(f"{source} looks like JSON; expected a table: a header, and an example per line, as TSV or CSV")
    delimiter = delimiter_of(header, source)
    if delimiter != "\t":
        warnings.warn(f"{source} is read as CSV, with {delimiter!r} between the fields", stacklevel=4)
        return _rows(_parsed(kept, source, delimiter), source)
    if any('"' in line for _, line in kept):
        if (rows := _quoted(kept, source, header)) is not None:
            quoted = "is read without the quotation marks that pandas and spreadsheets put around fields"
            warnings.warn(f"{source} {quoted}", stacklevel=4)
            return _rows(rows, source)
        if looks := next((number for number, line in kept if _LOOKS_QUOTED.search(line)), None):
            part_of_texts = "other lines don't, so all quotation marks are taken as part of the texts"
            warnings.warn(f"{source}: line {looks} looks quoted, but {part_of_texts}", stacklevel=4)
    return _rows([Row(number, line.split("\t")) for number, line in kept], source)


def delimiter_of(header: str, source: str) -> str:
    """What is between the fields, by the header; the name of the file decides where there is one field."""
    if "\t" in header or not re.search("[,;]", header):
        return "," if re.search(r"\.csv(\.gz)?$", source) and "\t" not in header else "\t"
    return max(",;", key=header.count)


def _bounded(lines: Iterable[NumberedLine], source: str) -> list[NumberedLine]:
    kept, size = [], 0
    for number, line in lines:
        size += len(line)
        if size > MAX_TABLE_CHARACTERS:
            limit = f"more than {MAX_TABLE_CHARACTERS / 1e6:.0f} million characters"
            raise UserError(f"{source} has {limit}, too many for a table, which is read as a whole; divide it")
        kept.append((number, line))
    return kept


def _parsed(lines: list[NumberedLine], source: str, delimiter: str) -> list[Row]:
    """The rows by the csv library. Raises UserError for what isn't quoted well."""
    reader = csv.reader((f"{line}\n" for _, line in lines), delimiter=delimiter, strict=True)
    rows, start = [], 0
    try:
        for fields in reader:
            rows.append(Row(lines[start][0], fields))
            start = reader.line_num
    except csv.Error as error:
        wrong = (
            "the fields are quoted, but not well: a quoted field begins and ends with a mark, and doubles inner ones"
        )
        if "limit" in str(error):
            wrong = f"a quoted field has over {csv.field_size_limit():,} characters; is a quotation mark left open?"
        raise UserError(f"{source}, line {lines[start][0]}: {wrong}") from None
    return rows


def _quoted(lines: list[NumberedLine], source: str, header: str) -> list[Row] | None:
    """The rows, if a program that quotes would have written the lines; None if the marks belong to the texts."""
    if header.startswith('"') and header.endswith('"'):  # then all fields are quoted, or all but numbers
        return _parsed(lines, source, "\t")
    try:
        rows = _parsed(lines, source, "\t")
    except UserError:
        return None
    starts = [row.line - lines[0][0] for row in rows] + [len(lines)]
    written = ["\n".join(line for _, line in lines[start:end]) for start, end in pairwise(starts)]
    pairs = list(zip(rows, written, strict=True))
    return rows if any(all(_written(row.fields, way) == text for row, text in pairs) for way in _QUOTED_BY) else None


def _written(fields: list[str], quoted: re.Pattern[str]) -> str:
    doubled = (field.replace('"', '""') for field in fields)
    return "\t".join(f'"{field}"' if quoted.search(field) else field for field in doubled)


def _rows(rows: list[Row], source: str) -> list[Row]:
    kept = []
    for line, fields in rows:
        fields = [_on_one_line(field) if "\n" in field else field.strip() for field in fields]
        if max(map(len, fields), default=0) > MAX_FIELD_CHARACTERS:
            raise UserError(f"{source}, line {line}: a field has more than {MAX_FIELD_CHARACTERS:,} characters")
        if any(fields):
            kept.append(Row(line, fields))
    return kept


def _on_one_line(field: str) -> str:
    return re.sub(r"\s*\n\s*", " ", field.strip())
