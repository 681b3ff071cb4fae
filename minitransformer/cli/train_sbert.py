"""minitransformer train-sbert MODEL: from a BERT, or a sentence encoder, to a better sentence encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minitransformer.cli._fine_tuning import REQUIRED, described, fine_tuning_options, start_or_resume, train
from minitransformer.cli._options import ABOVE_0, settings_options
from minitransformer.evaluation.sentences import evaluate_siamese
from minitransformer.ops.pair_features import COMPONENTS
from minitransformer.training.runs.sentences import LAYOUTS, SiameseRun, SiameseTrainingSettings

setting = settings_options(SiameseTrainingSettings)


@click.command()
@fine_tuning_options(SiameseTrainingSettings)
@click.option("--objective", type=click.Choice(list(LAYOUTS)), help="What the embeddings are trained for.")
@setting("pooling", click.Choice(["mean", "max", "cls"]), "Token rows to an embedding.  [default: the model's way]")
@click.option(
    "--components",
    multiple=True,
    type=click.Choice(COMPONENTS),
    default=["u", "v", "|u-v|"],
    show_default=True,
    help="classification: what the classifier sees; may be repeated.",
)
@setting("margin", ABOVE_0, "triplet: how much nearer the positive must be.")
@setting("scale", ABOVE_0, "ranking, cosent: what cosines are multiplied by.")
@click.option("--symmetric", is_flag=True, help="ranking: positives rank anchors, too.")
@setting("highest_score", ABOVE_0, "regression: the score of a cosine of 1.  [default: the highest in --train]")
@click.option("--gradient-caching", is_flag=True, help="Encode each batch twice, to need the memory of a shard only.")
@click.pass_context
def command(context: click.Context, resume: Path | None, workers: int | None, **settings: Any) -> None:
    """Train MODEL's sentence embeddings on a table (TSV with a header), by one of five objectives.

    \b
    classification   sentence1 sentence2 label      premise, hypothesis, class (NLI)
    regression       sentence1 sentence2 score      how much the same they mean
    cosent           sentence1 sentence2 score      the same, by the order of the scores
    ranking          anchor positive [negative]     or NLI pairs, or pairs that belong together
    triplet          anchor positive negative

    MODEL is a folder, or the name of a model on the Hugging Face hub; a plain BERT gets mean pooling. --dev may be any
    of these tables. DIR becomes a sentence-transformers folder.
    """
    run = start_or_resume(SiameseRun, context, resume, (*REQUIRED, "objective"))
    best = train(run, lambda: evaluate_siamese(run.model, run.dev), workers, "train-sbert")
    click.echo(f"\nThe best model on {run.settings.dev}: {described(best)}")
    click.echo(f'It lies in {run.folder}. Try it: minitransformer similarity {run.folder} "a text" "another text"')
    if run.model.labels:
        click.echo(f"Ask its pair classifier: minitransformer predict {run.folder} FILE")
