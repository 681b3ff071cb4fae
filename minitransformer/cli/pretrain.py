"""minitransformer pretrain: from text to a BERT, and what it has learnt."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from minitransformer.cli._ranges import POSITIVE, SHARE
from minitransformer.cli._runs import run_options, setting_options, train
from minitransformer.models.bert_config import PRESETS
from minitransformer.training.runs.pretraining import (
    DEFAULT_SIZE,
    DEFAULT_VOCAB_SIZE,
    PretrainingRun,
    PretrainingSettings,
)

FURTHER_LEARNING_RATE = 1e-4  # of a model that has learnt: the default of a new one would make it forget

setting = setting_options(PretrainingSettings)


@click.command()
@click.option("--corpus", multiple=True, metavar="PATH", help="Text to learn from; may be given several times.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder.  [default: bert-SIZE]"
)
@click.option("--from", "further", metavar="MODEL", help="Train this model further, instead of a new one.")
@click.option(
    "--tokenizer", "tokenizer_from", metavar="FOLDER", help="Use this tokenizer, instead of one learnt from the text."
)
@click.option("--cased", is_flag=True, help="Keep capitals and accents apart in the vocabulary that is learnt.")
@setting("size", click.Choice(list(PRESETS)), f"Layers and width of a new model.  [default: {DEFAULT_SIZE}]")
@setting("vocab_size", POSITIVE, f"Tokens of the vocabulary that is learnt.  [default: {DEFAULT_VOCAB_SIZE}]")
@setting("max_length", POSITIVE, "Tokens per sentence pair; a new model takes no longer texts.")
@click.option(
    "--next-sentence/--no-next-sentence", default=True, help="Train on next sentences, too, or on masked words alone."
)
@click.option("--whole-words", is_flag=True, help="Mask all pieces of a word together.")
@setting("dropout", SHARE, "Share of hidden values and attention weights set to 0.  [default: 0]")
@setting("steps", POSITIVE, "Updates of the weights.")
@setting("save_every", POSITIVE, "Steps from one checkpoint and evaluation to the next.")
@setting("held_out_every", click.IntRange(min=2), "Every n-th document is held out for evaluation.")
@setting("held_out_pairs", POSITIVE, "Sentence pairs per evaluation.")
@run_options(PretrainingSettings)
@click.pass_context
def command(context: click.Context, size: str | None, further: str | None, **_: Any) -> None:
    """Pretrain a BERT on text, and show what it has learnt.

    A corpus has one paragraph or sentence per line and a blank line between
    documents, as .txt or .gz. Without --corpus, the text is the documentation
    of the installed Python, NumPy and SciPy.

    A corpus of a single document has no next sentences to tell from random
    ones: give it --no-next-sentence. With --from, a folder or the name of a
    model on the Hugging Face hub, the learning rate is 0.0001 by default.

    \b
    Example:
      minitransformer pretrain --corpus notes.txt --out my-bert
      minitransformer pretrain --from my-bert --corpus more.txt --out my-bert-2
    """
    if further and context.get_parameter_source("learning_rate") == ParameterSource.DEFAULT:
        context.params["learning_rate"] = FURTHER_LEARNING_RATE
    run = train(PretrainingRun, context, default_out=f"bert-{'further' if further else size or DEFAULT_SIZE}")
    question = "a text with a [MASK]" if run.settings.corpus else "returns the [MASK] of the array."
    click.echo(f'Saved to {run.folder}. Try:\nminitransformer fill-mask {run.folder} "{question}"')
