"""minitransformer show embeddings MODEL FILE: a map of texts that says how much it lies."""

import sys
import warnings

import click

from minitransformer.cli._arguments import file_argument, input_lines, model_argument, prompt_option
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.corpora.tables import LABELLED_TEXTS, read_table
from minitransformer.errors import UserError
from minitransformer.evaluation.embedding_map import embedding_map
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.pictures.embeddings import MOST_LABELS, embeddings_picture

MOST_TEXTS = 2000  # more points lie upon each other, and all pairs of them are compared


@click.command()
@model_argument
@file_argument
@click.option("--labels", is_flag=True, help="FILE is a table with the columns text and label, which has a colour.")
@prompt_option
@picture_options
def command(output: Output, model: str, file: str, labels: bool, prompt_name: str | None) -> None:
    """Show where the embeddings of texts lie.

    FILE has a text in each line. The map's two axes are those along which the embeddings vary most; it says how much
    of them it shows, and how many of the nearest neighbours it keeps. The neighbours that it lists are those of the
    whole embeddings. MODEL is a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer show embeddings sentence-transformers/all-MiniLM-L6-v2 \\
        products.txt --out map.html
    """
    texts, names = read_labelled(file) if labels else (read_lines(file), None)
    if len(texts) < 3:
        raise UserError(f"a map needs three texts at least, found {len(texts)}")
    if len(texts) > MOST_TEXTS:
        warnings.warn(f"there are {len(texts):,} texts; the first {MOST_TEXTS:,} are shown", stacklevel=2)
        texts, names = texts[:MOST_TEXTS], names and names[:MOST_TEXTS]
    if names and len({*names}) > MOST_LABELS:
        warnings.warn(f"there are {len({*names})} labels; only {MOST_LABELS} have marks of their own", stacklevel=2)
    encoder = SentenceEncoder.from_pretrained(model)
    embeddings = encoder.encode(texts, prompt_name=prompt_name, show_progress=sys.stderr.isatty())
    output.show(embeddings_picture(texts, embedding_map(embeddings), names))


def read_lines(file: str) -> list[str]:
    return [line.strip() for _, line in input_lines(file) if line.strip()]


def read_labelled(file: str) -> tuple[list[str], list[str]]:
    columns = read_table(file, LABELLED_TEXTS).columns
    return columns["text"], columns["label"]
