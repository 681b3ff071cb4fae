"""minitransformer train-seq2seq: from a table of sources and targets to a translator."""

from pathlib import Path
from typing import Any

import click

from minitransformer.cli._ranges import POSITIVE, SHARE
from minitransformer.cli._runs import run_options, setting_options, train
from minitransformer.models.seq2seq_config import PRESETS
from minitransformer.training.optimizer.schedule import SCHEDULES
from minitransformer.training.runs.translation import (
    ARCHITECTURES,
    BYTES,
    CHARACTERS,
    TranslationRun,
    TranslationSettings,
)

setting = setting_options(TranslationSettings)


@click.command()
@click.option("--train", metavar="TSV", help="Pairs to learn from, in columns source and target.")
@click.option("--dev", metavar="TSV", help="Pairs to evaluate on; the best model on them is kept.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder.")
@setting("epochs", POSITIVE, "Times through the training pairs.")
@setting("tokenizer", click.Choice([CHARACTERS, BYTES]), "A token for each character, or for frequent runs of bytes.")
@setting("vocab_size", POSITIVE, "bytes: tokens of the vocabulary, at least 257.  [default: 512]")
@setting("architecture", click.Choice(ARCHITECTURES), "What reads and what writes.")
@setting("size", click.Choice(list(PRESETS)), "Layers and width of the model (of an LSTM, its width).")
@setting("max_length", click.IntRange(min=2), "Tokens of a source or a target.  [default: twice the longest]")
@setting("dropout", SHARE, "Share of hidden values set to 0.")
@setting("label_smoothing", SHARE, "Share of the probability that a target spreads evenly over all tokens.")
@setting("schedule", click.Choice([*SCHEDULES]), "How the learning rate falls after its peak.")
@setting("evaluations_per_epoch", POSITIVE, "How often the model is evaluated and a checkpoint saved.")
@setting("translated", POSITIVE, "Pairs of --dev to translate in an evaluation.")
@setting("averaged", click.IntRange(min=2), "Evaluate, at the end, the mean of the last so many evaluated models, too.")
@run_options(TranslationSettings)
@click.pass_context
def command(context: click.Context, **_: Any) -> None:
    """Train an encoder with a decoder to turn sources into targets.

    --train and --dev are tables (TSV or CSV) with the columns source and target: sentences and their translations,
    questions and SQL, dates in any form and in one. DIR becomes a folder for `minitransformer translate`; that of a
    Transformer is a MarianMTModel to transformers.

    \b
    Example:
      minitransformer train-seq2seq --train train.tsv --dev dev.tsv --out sql
    """
    run = train(TranslationRun, context)
    click.echo(f"Saved to {run.folder}. Try: minitransformer translate {run.folder} FILE")
