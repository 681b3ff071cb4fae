"""minitransformer finetune MODEL: from a BERT to a classifier of texts."""

from typing import Any

import click

from minitransformer.cli._ranges import POSITIVE, SHARE, FiniteFloatRange
from minitransformer.cli._runs import fine_tuning_options, setting_options, train
from minitransformer.models.classifier_settings import CLASSIFIER_POOLINGS
from minitransformer.training.runs.classification import ClassificationRun, ClassificationTrainingSettings

setting = setting_options(ClassificationTrainingSettings)


@click.command()
@fine_tuning_options(ClassificationTrainingSettings)
@setting(
    "pooling",
    click.Choice(CLASSIFIER_POOLINGS),
    "The row that the classifier sees.  [default: pooler; LSTM: max]",
)
@click.option(
    "--hidden-size",
    "hidden_sizes",
    multiple=True,
    type=POSITIVE,
    help="Size of a dense layer below the classifier; may be given several times.",
)
@setting("dropout", SHARE, "Dropout before each layer of the head.  [default: BERT's own]")
@click.option("--multi-label", is_flag=True, help="A text may have several labels, separated by commas.")
@click.option("--freeze-encoder", is_flag=True, help="Train only what is above the encoder.")
@setting(
    "rate_decay", FiniteFloatRange(0, 1, min_open=True), "A layer's learning rate, as a fraction of the layer above's."
)
@click.pass_context
def command(context: click.Context, **_: Any) -> None:
    """Fine-tune MODEL to classify or score texts, or pairs of texts.

    --train and --dev are tables (TSV or CSV) with one of these headers:

    \b
    text label                      any number of classes
    sentence1 sentence2 label       pairs
    text score                      regression
    sentence1 sentence2 score       regression on pairs

    MODEL is a folder, or the name of a model on the Hugging Face hub; if it
    has a classifier of these labels, that one is trained further. DIR
    becomes a folder that `minitransformer predict` loads. With the default
    pooling and no hidden layers, transformers loads it, too.

    \b
    Example:
      minitransformer finetune my-bert --train train.tsv --dev dev.tsv \\
          --learning-rate 1e-3 --out my-classifier
    """
    run = train(ClassificationRun, context)
    click.echo(f"Saved to {run.folder}. Try: minitransformer predict {run.folder} FILE")
