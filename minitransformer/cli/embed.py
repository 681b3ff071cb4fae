"""minitransformer embed MODEL [FILE] --out FILE.npy: a row of numbers for each line of text."""

import sys
from pathlib import Path

import click

from minitransformer.cli._arguments import file_argument, input_lines, model_argument, prompt_option
from minitransformer.cli._npy_writer import pipe_rows, stream_rows, write_rows
from minitransformer.errors import UserError
from minitransformer.files import is_special
from minitransformer.models.sentence_encoder import SentenceEncoder

STANDARD_OUTPUT = "-"


@click.command()
@model_argument
@file_argument
@click.option(
    "--out",
    required=True,
    type=click.Path(),
    metavar="FILE.npy",
    help="Where to write the array; an existing file is replaced, and - is standard output.",
)
@prompt_option
@click.option(
    "--truncation",
    type=click.Choice(["warn", "error", "silent"]),
    default="warn",
    show_default=True,
    help="What to do with lines longer than the model takes: cut them and say so, stop, or cut them.",
)
def command(model: str, file: str, out: str, prompt_name: str | None, truncation: str) -> None:
    """Write the embedding of each line of a text to a .npy file.

    Row i of the array is the embedding of line i of FILE (UTF-8, plain or .gz), or of standard input; an empty line has
    a row, too. Memory doesn't grow with the text. MODEL is a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer embed sentence-transformers/all-MiniLM-L6-v2 \\
        sentences.txt --out embeddings.npy
    """
    if Path(out).is_dir():
        raise UserError(f"{out} is a folder; --out needs the name of a file, such as {Path(out) / 'embeddings.npy'}")
    to_stdout = out == STANDARD_OUTPUT
    is_stream = is_special(Path(out)) or out.startswith(("/dev/", "/proc/"))  # /dev/stdout may lead to a file
    if to_stdout and sys.stdout.isatty():
        raise UserError("standard output is a terminal, and an array isn't text; send it to a file or a pipe")
    encoder = SentenceEncoder.from_pretrained(model)
    lines = (line.strip() for _, line in input_lines(file))
    chunks = encoder.encode_stream(
        lines, prompt_name=prompt_name, truncation=truncation, show_progress=sys.stderr.isatty()
    )
    width, dtype = encoder.embedding_size, encoder.dtype
    if to_stdout:
        num_rows = pipe_rows(sys.stdout.buffer, chunks, width, dtype)
    elif is_stream:
        num_rows = stream_rows(Path(out), chunks, width, dtype)
    else:
        num_rows = write_rows(Path(out), chunks, width, dtype)
    click.echo(f"{num_rows:,} embeddings of {width} numbers", err=to_stdout or is_stream)
