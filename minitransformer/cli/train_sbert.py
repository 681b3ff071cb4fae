"""minitransformer train-sbert MODEL: from a BERT, or a sentence encoder, to a better sentence encoder."""

from typing import Any

import click

from minitransformer.cli._ranges import ABOVE_0
from minitransformer.cli._runs import fine_tuning_options, setting_options, train
from minitransformer.ops.pair_features import COMPONENTS
from minitransformer.training.runs.sentences import LAYOUTS, SentencesRun, SentencesTrainingSettings

setting = setting_options(SentencesTrainingSettings)


@click.command()
@fine_tuning_options(SentencesTrainingSettings)
@click.option("--objective", type=click.Choice(list(LAYOUTS)), help="What the embeddings are trained for.")
@setting("pooling", click.Choice(["mean", "max", "cls"]), "From rows to an embedding.  [default: the model's way]")
@click.option(
    "--components",
    multiple=True,
    type=click.Choice(COMPONENTS),
    default=["u", "v", "|u-v|"],
    show_default=True,
    help="classification: what the classifier sees; may be given several times.",
)
@setting("margin", ABOVE_0, "triplet: how much nearer the positive must be.")
@setting("scale", ABOVE_0, "ranking, cosent: what cosines are multiplied by.")
@click.option("--symmetric", is_flag=True, help="ranking: positives rank anchors, too.")
@setting("highest_score", ABOVE_0, "regression: the score of a cosine of 1.  [default: the highest in --train]")
@click.option("--gradient-caching", is_flag=True, help="Encode each batch twice, to need the memory of one shard only.")
@click.pass_context
def command(context: click.Context, **_: Any) -> None:
    """Train MODEL's sentence embeddings on a table (TSV), by an objective.

    \b
    objective        header of --train
    classification   sentence1 sentence2 label    classes of pairs (NLI)
    regression       sentence1 sentence2 score    how similar they are in meaning
    cosent           sentence1 sentence2 score    the same, by the scores' order
    ranking          anchor positive [negative]   pairs that belong together; or
                     sentence1 sentence2 label    NLI's entailments
    triplet          anchor positive negative

    MODEL is a folder, or the name of a model on the Hugging Face hub; a plain
    BERT gets mean pooling. --dev may be any of these tables. DIR becomes a
    sentence-transformers folder.

    \b
    Example:
      minitransformer train-sbert my-bert --objective regression \\
          --train stsb-train.tsv --dev stsb-dev.tsv --out my-sbert
    """
    run = train(SentencesRun, context)
    click.echo(f'Saved to {run.folder}. Try: minitransformer similarity {run.folder} "a text" "another text"')
    if run.label_names:
        click.echo(f"Try its pair classifier: minitransformer predict {run.folder} FILE")
