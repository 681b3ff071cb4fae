"""Tables with any columns, which are found by their names in the header.

Between fields there are tabs, or what spreadsheets write (corpora/dialects.py). Blank lines are skipped.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from minitransformer.corpora import dialects
from minitransformer.corpora.text_files import decoded_lines, open_text
from minitransformer.errors import UserError


def read_rows(path: str | os.PathLike[str]) -> tuple[list[str], list[dialects.Row]]:
    """The header, and each line that isn't blank by its number. Raises UserError unless they fit together."""
    with open_text(Path(path)) as (text, _):
        lines = dialects.read_rows(decoded_lines(text, str(path)), str(path))
    if len(lines) < 2:
        raise UserError(f"{path} has {'no line after its header' if lines else 'no lines'}; expected a table")
    (_, header), *rows = lines
    if len(set(header)) < len(header) or not all(header):
        raise UserError(f"{path}: each column needs a name of its own in the header, found: {' '.join(header)[:80]}")
    for line, values in rows:
        if len(values) != len(header):
            expected = f"expected {len(header)} fields as in the header, found {len(values)}"
            raise UserError(f"{path}, line {line}: {expected}; replace tabs inside texts by spaces, or quote the text")
    return header, rows


def place_of(path: str | os.PathLike[str], header: Sequence[str], names: Sequence[str]) -> int:
    """The place of the first of the names that the header has."""
    if found := [name for name in names if name in header]:
        return header.index(found[0])
    lacking = f"has no column {' or '.join(names)}; its columns are: {' '.join(header)[:80]}"
    raise UserError(f"{path} {lacking}. The first line must be a header, with tabs between the names")
