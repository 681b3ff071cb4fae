"""minitransformer embed MODEL [FILE] --out FILE.npy: a row of numbers for each line of text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from minitransformer.cli._npy_writer import write_rows
from minitransformer.corpora.text_files import decoded_lines, read_lines
from minitransformer.errors import UserError
from minitransformer.models.sentence_encoder import SentenceEncoder


@click.command()
@click.argument("model")
@click.argument("file", required=False)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to write the array, as .npy; an older file is replaced.",
)
@click.option("--prompt-name", help="Put this one of the model's prompts before each line.")
@click.option(
    "--truncation",
    type=click.Choice(["warn", "error", "silent"]),
    default="warn",
    show_default=True,
    help="What to do about lines longer than the model takes: cut them and say so, stop, or cut them.",
)
def command(model: str, file: str | None, out: Path, prompt_name: str | None, truncation: str) -> None:
    """Embed each line of FILE (text in UTF-8, plain or .gz), or of standard input.

    Row i of the array is the embedding of line i; an empty line has one too. Memory doesn't grow with the text.
    MODEL is a folder, or the name of a model on the Hugging Face hub.
    """
    if out.is_dir():
        raise UserError(f"{out} is a folder; --out needs the name of a file, such as {out / 'embeddings.npy'}")
    encoder = SentenceEncoder.from_pretrained(model)
    blocks = encoder.encode_stream(
        _lines(file), prompt_name=prompt_name, truncation=truncation, show_progress=sys.stderr.isatty()
    )
    num_rows = write_rows(out, blocks, encoder.embedding_size, encoder.storage.values.dtype)
    click.echo(f"{out}: {num_rows:,} embeddings of {encoder.embedding_size} numbers")


def _lines(file: str | None) -> Iterator[str]:
    lines = decoded_lines(sys.stdin.buffer, "standard input") if file in (None, "-") else read_lines(Path(file))
    return (line for _, line in lines)
