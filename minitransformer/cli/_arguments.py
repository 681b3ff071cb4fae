"""The arguments that commands share: MODEL, and FILE with its lines."""

import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from minitransformer.corpora.text_files import NumberedLine, decoded_lines, open_text

LONGEST_TEXT = 1_000_000  # characters, to be cut into tokens: that takes seconds and half a gigabyte
STANDARD_INPUT = "-"  # in place of a file's name

# Their type lets the shell complete them.
model_argument = click.argument("model", type=click.Path())
file_argument = click.argument("file", type=click.Path(), default=STANDARD_INPUT)

prompt_option = click.option("--prompt-name", help="Which of the model's prompts to put before each text.")


def input_lines(file: str) -> Iterator[NumberedLine]:
    """(line number from 1, line) for each line."""
    if file == STANDARD_INPUT:
        yield from decoded_lines(sys.stdin.buffer, input_name(file))
        return
    with open_text(Path(file)) as (text, _):
        yield from decoded_lines(text, file)


def input_texts(lines: Iterable[NumberedLine], source: str) -> Iterator[NumberedLine]:
    """The lines as texts, without white space around them. A note says what is left out of a line without end."""
    for number, line in lines:
        if len(line) > LONGEST_TEXT:
            limit = f"the first {LONGEST_TEXT:,} of its {len(line):,} characters are read"
            warnings.warn(f"{source}, line {number}: {limit}, more than any model takes", stacklevel=2)
        yield number, line[:LONGEST_TEXT].strip()


def input_name(file: str) -> str:
    return "standard input" if file == STANDARD_INPUT else file
