"""minitransformer similarity MODEL A B [...]: how similar texts are in meaning."""

import click

from minitransformer.cli._arguments import model_argument, prompt_option
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._texts import TEXT
from minitransformer.errors import UserError
from minitransformer.formatting import format_table
from minitransformer.inference.explanation import SimilarityExplanation, explain_similarity
from minitransformer.models.sentence_encoder import SentenceEncoder


@click.command()
@model_argument
@click.argument("texts", type=TEXT, nargs=-1, required=True, metavar="A B [...]")
@click.option("--explain", is_flag=True, help="For two texts: what each pair of tokens contributes to the cosine.")
@prompt_option
@json_option
def command(model: str, texts: tuple[str, ...], explain: bool, prompt_name: str | None, as_json: bool) -> None:
    """Print how similar two or more texts are.

    Several texts are compared in pairs. Similarity is the cosine, from -1 to 1, unless MODEL defines another. MODEL is
    a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer similarity sentence-transformers/all-MiniLM-L6-v2 \\
        "I like chocolate milk" "I like milk chocolate" --explain
    """
    if len(texts) < 2 or (explain and len(texts) > 2):
        raise UserError(f"expected {'two' if explain else 'at least two'} texts, found {len(texts)}")
    encoder = SentenceEncoder.from_pretrained(model)
    if explain and prompt_name:
        raise UserError("--explain compares texts without a prompt; leave out --prompt-name")
    if explain:
        explanation = explain_similarity(encoder, *texts)
        if as_json:
            print_json({"cosine": explanation.cosine, **explanation._asdict()})
        else:
            click.echo(_explanation_table(explanation))
        return
    embeddings = encoder.encode(texts, prompt_name=prompt_name)
    similarities = encoder.similarity(embeddings, embeddings)
    if as_json:
        print_json({"texts": texts, "similarities": similarities})
    elif len(texts) == 2:
        click.echo(f"{similarities[0, 1]:.4f}")
    else:
        numbers = [f"{i}" for i in range(1, len(texts) + 1)]
        rows = [[number, *(f"{x:.4f}" for x in row)] for number, row in zip(numbers, similarities, strict=True)]
        click.echo(format_table([["", *numbers], *([*row, text] for row, text in zip(rows, texts, strict=True))]))


def _explanation_table(explanation: SimilarityExplanation) -> str:
    """A row for each token of the first text, a column for each of the second; sums at the margins, all times 100."""
    parts = 100 * explanation.contributions
    header = ["", *explanation.second_tokens, "sum"]
    rows = [
        [token, *(f"{part:.1f}" for part in row), f"{row.sum():.1f}"]
        for token, row in zip(explanation.first_tokens, parts, strict=True)
    ]
    sums = ["sum", *(f"{column.sum():.1f}" for column in parts.T), f"{parts.sum():.1f}"]
    table = format_table([header, *rows, sums])
    return f"cosine {explanation.cosine:.4f}; in hundredths, for each pair of tokens:\n{table}"
