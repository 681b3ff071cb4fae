"""minitransformer finetune MODEL: from a BERT to a classifier of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minitransformer.cli._fine_tuning import described, fine_tuning_options, start_or_resume, train
from minitransformer.cli._options import POSITIVE, SHARE, FiniteFloatRange, settings_options
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.inference.prediction import scores_of
from minitransformer.training.runs.classification import ClassifierRun, ClassifierTrainingSettings

setting = settings_options(ClassifierTrainingSettings)


@click.command()
@fine_tuning_options(ClassifierTrainingSettings)
@setting("pooling", click.Choice(["pooler", "cls", "mean"]), "What the classifier sees of a text.")
@click.option(
    "--hidden-size",
    "hidden_sizes",
    multiple=True,
    type=POSITIVE,
    help="Of a dense layer below the classifier; may repeat.",
)
@setting("dropout", SHARE, "Before each layer of the head.  [default: BERT's own]")
@click.option("--multi-label", is_flag=True, help="A text may have several labels, with commas between them.")
@click.option("--freeze-encoder", is_flag=True, help="Train what is above the encoder only.")
@setting("rate_decay", FiniteFloatRange(0, 1, min_open=True), "Learning rate of a layer, of that of the one above.")
@click.pass_context
def command(context: click.Context, resume: Path | None, workers: int | None, **settings: Any) -> None:
    """Fine-tune MODEL to classify or score texts, or pairs of texts, given in tables (TSV with a header).

    \b
    text label                    any number of classes
    sentence1 sentence2 label     pairs
    text score                    regression, or with sentence1 sentence2

    MODEL is a folder, or the name of a model on the Hugging Face hub. DIR becomes a folder that `minitransformer
    predict` loads, and so does transformers' BertForSequenceClassification, which has no other pooling than pooler and
    no hidden layers.
    """
    run = start_or_resume(ClassifierRun, context, resume)
    problem_type = run.model.settings.problem_type

    def evaluate() -> Any:
        return prediction_metrics(problem_type, scores_of(run.model, run.dev_tokens), run.dev_targets)

    best = train(run, evaluate, workers, "finetune")
    click.echo(f"\nThe best model on {run.settings.dev}: {described(best)}")
    click.echo(f"It lies in {run.folder}. Ask it: minitransformer predict {run.folder} FILE")
