"""minitransformer embed MODEL [FILE] --out FILE.npy: a row of numbers for each line of text."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from minitransformer.cli._arguments import (
    STANDARD_INPUT,
    file_argument,
    input_lines,
    input_name,
    input_texts,
    model_argument,
    prompt_option,
)
from minitransformer.cli._npy_writer import pipe_rows, stream_rows, write_rows
from minitransformer.errors import UserError
from minitransformer.files import is_special
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.text.truncation import Truncation
from minitransformer.training.machines import Machines, this_job

STANDARD_OUTPUT = "-"
LINES_OF_EACH = 512  # at a time, of each of several processes


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
    is_stream = is_special(Path(out)) or out.startswith(("/dev/std", "/dev/fd/", "/proc/"))  # they may lead to a file
    if to_stdout and sys.stdout.isatty():
        raise UserError("standard output is a terminal, and an array isn't text; send it to a file or a pipe")
    job = this_job()
    if job.size > 1 and file == STANDARD_INPUT:
        raise UserError(f"standard input goes to one of the {job.size} processes alone; name a FILE that all can read")
    encoder = SentenceEncoder.from_pretrained(model)
    lines = (text for _, text in input_texts(input_lines(file), input_name(file)))
    options: dict[str, Any] = {
        "prompt_name": prompt_name,
        "truncation": truncation,
        "show_progress": sys.stderr.isatty(),
    }
    chunks = encoder.encode_stream(lines, **options) if job.size == 1 else _with_others(job, encoder, lines, **options)
    if job.rank > 0:
        deque(chunks, maxlen=0)  # the first process writes
        return
    width, dtype = encoder.embedding_size, encoder.dtype
    if to_stdout:
        num_rows = pipe_rows(sys.stdout.buffer, chunks, width, dtype)
    elif is_stream:
        num_rows = stream_rows(Path(out), chunks, width, dtype)
    else:
        num_rows = write_rows(Path(out), chunks, width, dtype)
    click.echo(f"{num_rows:,} embeddings of {width} numbers", err=to_stdout or is_stream)


def _with_others(
    job: Machines,
    encoder: SentenceEncoder,
    lines: Iterable[str],
    prompt_name: str | None,
    truncation: str,
    show_progress: bool,
) -> Iterator[np.ndarray]:
    """What encode_stream gives, where every process embeds its part of the lines, and all get all rows."""
    limit, lines = encoder.max_seq_length, iter(lines)
    own_cuts, all_cuts = (
        Truncation(limit, "silent" if truncation == "warn" else truncation),
        Truncation(limit, truncation),
    )
    with tqdm(unit=" texts", disable=not show_progress) as progress:
        while block := [*islice(lines, LINES_OF_EACH * job.size)]:
            yield from job.all(partial(encoder.encode, job.share(block), prompt_name=prompt_name, truncation=own_cuts))
            progress.update(len(block))
    all_cuts.add(*job.gather(own_cuts.counts))
    all_cuts.report()
