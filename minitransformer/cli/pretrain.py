"""minitransformer pretrain: from text to a BERT, and what it has learnt."""

from pathlib import Path
from typing import Any

import click

from minitransformer.cli._runs import POSITIVE, SHARE, run_options, setting_options, train
from minitransformer.models.bert_config import PRESETS
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings

setting = setting_options(PretrainingSettings)


@click.command()
@click.option("--corpus", multiple=True, metavar="PATH", help="Text to learn from; may be given several times.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder.  [default: bert-SIZE]"
)
@setting("size", click.Choice(list(PRESETS)), "Layers and width of the model.")
@setting("vocab_size", POSITIVE, "Tokens of the vocabulary that is learnt from the text.")
@setting("max_length", POSITIVE, "Tokens per sentence pair; the model takes no longer texts.")
@click.option("--whole-words", is_flag=True, help="Mask all pieces of a word together.")
@setting("dropout", SHARE, "Share of hidden values and attention weights set to 0.")
@setting("steps", POSITIVE, "Updates of the weights.")
@setting("save_every", POSITIVE, "Steps from one checkpoint and evaluation to the next.")
@setting("held_out_every", click.IntRange(min=2), "Every n-th document is held out for evaluation.")
@setting("held_out_pairs", POSITIVE, "Sentence pairs per evaluation.")
@run_options(PretrainingSettings)
@click.pass_context
def command(context: click.Context, size: str, **_: Any) -> None:
    """Pretrain a BERT on text, and show what it has learnt.

    A corpus has one paragraph or sentence per line and a blank line between
    documents, as .txt or .gz. Without --corpus, the text is the documentation
    of the installed Python, NumPy and SciPy.

    \b
    Example:
      minitransformer pretrain --corpus notes.txt --out my-bert
    """
    run = train(PretrainingRun, context, default_out=f"bert-{size}")
    question = "a text with a [MASK]" if run.settings.corpus else "returns the [MASK] of the array."
    click.echo(f'Saved to {run.folder}. Try:\nminitransformer fill-mask {run.folder} "{question}"')
