"""minitransformer show similarity MODEL A B [...]: texts by texts, or the parts of a cosine."""

import warnings
from pathlib import Path

import click

from minitransformer.cli._arguments import input_lines, model_argument, prompt_option
from minitransformer.cli._texts import TEXT
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.errors import UserError
from minitransformer.inference.explanation import explain_similarity
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.pictures.similarity import explanation_picture, similarity_picture

MOST_TEXTS = 40  # cells of more are too small to read


@click.command()
@model_argument
@click.argument("texts", type=TEXT, nargs=-1, metavar="A B [...]")
@click.option("--file", type=click.Path(), help="A file with a text in each line, in place of A B [...].")
@click.option("--explain", is_flag=True, help="For two texts: what each pair of tokens contributes to the cosine.")
@prompt_option
@picture_options
def command(
    output: Output, model: str, texts: tuple[str, ...], file: str | None, explain: bool, prompt_name: str | None
) -> None:
    """Show how similar each text is to each.

    Similarity is the cosine, from -1 to 1, unless MODEL defines another. MODEL is a folder, or the name of a model on
    the Hugging Face hub.

    \b
    Example:
      minitransformer show similarity sentence-transformers/all-MiniLM-L6-v2 \\
        "I like chocolate milk" "I like milk chocolate" --explain --out milk.svg
    """
    texts = given_texts(texts, file)
    if explain and (prompt_name or len(texts) != 2):
        raise UserError(f"--explain compares two texts without a prompt, found {len(texts)} texts")
    encoder = SentenceEncoder.from_pretrained(model)
    if explain:
        output.show(explanation_picture(explain_similarity(encoder, *texts)))
        return
    embeddings = encoder.encode(texts, prompt_name=prompt_name)
    output.show(similarity_picture(texts, encoder.similarity(embeddings, embeddings)))


def given_texts(texts: tuple[str, ...], file: str | None) -> tuple[str, ...]:
    """The texts of the command line or of the file, at least two of them; a note says so if there are too many."""
    if file is not None and texts:
        raise UserError("there are texts in the command line and a --file; give one of both")
    if file is not None:
        texts = tuple(line.strip() for _, line in input_lines(file) if line.strip())
    if len(texts) < 2:
        where = f" in {Path(file)}" if file is not None else ""
        raise UserError(f"expected at least two texts{where}, found {len(texts)}")
    if len(texts) > MOST_TEXTS:
        warnings.warn(f"there are {len(texts)} texts; the first {MOST_TEXTS} are shown", stacklevel=2)
    return texts[:MOST_TEXTS]
