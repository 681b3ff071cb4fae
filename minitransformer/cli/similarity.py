"""minitransformer similarity MODEL A B [...]: how much texts mean the same."""

from __future__ import annotations

import click

from minitransformer.cli._table import aligned
from minitransformer.errors import UserError
from minitransformer.inference.explanation import SimilarityExplanation, explain_similarity
from minitransformer.models.sentence_encoder import SentenceEncoder


@click.command()
@click.argument("model")
@click.argument("texts", nargs=-1, required=True, metavar="A B [...]")
@click.option("--explain", is_flag=True, help="Of two texts: what each pair of tokens contributes to the cosine.")
def command(model: str, texts: tuple[str, ...], explain: bool) -> None:
    """Print the similarity of A and B, or of several texts each with each.

    It is the cosine, from -1 to 1, unless MODEL asks for another. MODEL is a folder, or the name of a model on the
    Hugging Face hub.
    """
    if len(texts) < 2 or (explain and len(texts) > 2):
        raise UserError(f"expected {'two' if explain else 'at least two'} texts, found {len(texts)}")
    encoder = SentenceEncoder.from_pretrained(model)
    if explain:
        click.echo(_explanation_table(explain_similarity(encoder, *texts)))
        return
    embeddings = encoder.encode(texts)
    similarities = encoder.similarity(embeddings, embeddings)
    if len(texts) == 2:
        click.echo(f"{similarities[0, 1]:.4f}")
    else:
        numbers = [f"{i}" for i in range(1, len(texts) + 1)]
        rows = [[number, *(f"{x:.4f}" for x in row)] for number, row in zip(numbers, similarities, strict=True)]
        click.echo(aligned([["", *numbers], *([*row, text] for row, text in zip(rows, texts, strict=True))]))


def _explanation_table(explanation: SimilarityExplanation) -> str:
    """A row for each token of the first text, a column for each of the second; sums at the margins, all times 100."""
    parts = 100 * explanation.contributions
    header = ["", *explanation.second_tokens, "sum"]
    rows = [
        [token, *(f"{part:.1f}" for part in row), f"{row.sum():.1f}"]
        for token, row in zip(explanation.first_tokens, parts, strict=True)
    ]
    sums = ["sum", *(f"{column.sum():.1f}" for column in parts.T), f"{parts.sum():.1f}"]
    return f"cosine {explanation.cosine:.4f}; in hundredths, pair by pair of tokens:\n" + aligned([header, *rows, sums])
