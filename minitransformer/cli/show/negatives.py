"""minitransformer show negatives MODEL TABLE: what in-batch negatives of a table of pairs are like."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.corpora.tables import PAIRS, read_table
from minitransformer.errors import UserError
from minitransformer.inference.in_batch_negatives import equal_weights, weights_by_hardness
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.pictures.negatives import negatives_picture


@click.command()
@model_argument
@click.argument("table", type=click.Path(), metavar="TABLE.tsv")
@click.option(
    "--batch", default=8, show_default=True, type=click.IntRange(2, 40), help="Pairs: the table's first ones."
)
@click.option(
    "--temperature",
    default=0.1,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="The lower, the more the hardest ones count.",
)
@picture_options
def command(output: Output, model: str, table: str, batch: int, temperature: float) -> None:
    """Show how each pair of a batch scores against the others.

    The second texts of the other pairs are taken as wrong for a first one. They can count alike, or the harder they
    are to tell from right the more. TABLE.tsv has the columns sentence1 and sentence2, or query and positive; MODEL is
    a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer show negatives my-sbert pairs.tsv --out batch.svg
    """
    firsts, seconds = (column[:batch] for column in read_table(table, PAIRS).texts)
    if len(firsts) < 2:
        raise UserError(f"{table} has {len(firsts)} pair; one has no others to be compared with")
    scores = SentenceEncoder.from_pretrained(model).similarity(firsts, seconds)
    weights = weights_by_hardness(scores, temperature)
    output.show(negatives_picture(firsts, seconds, scores, weights, equal_weights(len(firsts))))
