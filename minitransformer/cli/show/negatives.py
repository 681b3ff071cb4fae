"""minitransformer show negatives MODEL TABLE: what in-batch negatives of a table of pairs are like."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._ranges import FiniteFloatRange
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.corpora.tables import PAIRS, read_table
from minitransformer.errors import UserError
from minitransformer.inference.in_batch_negatives import in_batch_negatives
from minitransformer.models.two_towers import TwoTowers
from minitransformer.ops.negative_weights import WEIGHTS
from minitransformer.pictures.negatives import negatives_picture


@click.command()
@model_argument
@click.argument("table", type=click.Path(), metavar="TABLE.tsv")
@click.option(
    "--batch", default=8, show_default=True, type=click.IntRange(2, 40), help="Pairs: the table's first ones."
)
@click.option(
    "--weights",
    default="softmax",
    show_default=True,
    type=click.Choice(WEIGHTS),
    help="How much a wrong one counts, by its similarity.",
)
@click.option(
    "--temperature",
    default=0.1,
    show_default=True,
    type=FiniteFloatRange(min=0, min_open=True),
    help="softmax: the lower, the more the hardest ones count.",
)
@picture_options
def command(output: Output, model: str, table: str, batch: int, weights: str, temperature: float) -> None:
    """Show how each pair of a batch scores against the others, and how much each wrong one counts.

    The second texts of the other pairs are taken as wrong for a first one, unless they are equal to a right one. They
    can count alike, or the harder they are to tell from right the more, as `train-towers` has it. TABLE.tsv has the
    columns sentence1 and sentence2, or query and positive; MODEL is a folder, or the name of a model on the Hugging
    Face hub, a sentence encoder or two towers.

    \b
    Example:
      minitransformer show negatives my-sbert pairs.tsv --out batch.svg
    """
    firsts, seconds = (column[:batch] for column in read_table(table, PAIRS).texts)
    if len(firsts) < 2:
        raise UserError(f"{table} has {len(firsts)} pair; one has no others to be compared with")
    found = in_batch_negatives(TwoTowers.from_pretrained(model), firsts, seconds, weights, temperature)
    output.show(negatives_picture(*found, weights))
