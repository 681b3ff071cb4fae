"""minitransformer pretrain-gpt: from text to a GPT, and how well it predicts text that it hasn't seen."""

import re
from pathlib import Path
from typing import Any

import click

from minitransformer.cli._ranges import POSITIVE, SHARE, FiniteFloatRange
from minitransformer.cli._runs import lora_options, run_options, setting_options, train
from minitransformer.models.gpt_config import PRESETS
from minitransformer.training.runs.gpt_pretraining import (
    BYTES,
    CHARACTERS,
    GptPretrainingRun,
    GptPretrainingSettings,
)

setting = setting_options(GptPretrainingSettings)


@click.command()
@click.option("--corpus", multiple=True, metavar="PATH", help="Text to learn from; may be given several times.")
@click.option("--from", "model", metavar="MODEL", help="A GPT to train further, in place of a new one.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder.  [default: gpt-SIZE]"
)
@setting("tokenizer", click.Choice([CHARACTERS, BYTES]), "A token for each character, or for frequent runs of bytes.")
@setting("vocab_size", POSITIVE, "bytes: tokens of the vocabulary, at least 257.  [default: 1024]")
@setting("size", click.Choice(list(PRESETS)), "Layers and width of the model.")
@setting("max_length", click.IntRange(min=2), "Tokens that the model sees at a time.")
@setting("dropout", SHARE, "Share of hidden values and attention weights set to 0.")
@setting("steps", POSITIVE, "Updates of the weights.")
@setting("save_every", POSITIVE, "Steps from one checkpoint and evaluation to the next.")
@setting("held_out_share", FiniteFloatRange(0, 1, min_open=True, max_open=True), "Share of the text to evaluate on.")
@setting("held_out_tokens", POSITIVE, "Tokens per evaluation, at most.")
@lora_options(GptPretrainingSettings)
@run_options(GptPretrainingSettings)
@click.pass_context
def command(context: click.Context, model: str | None, size: str, **_: Any) -> None:
    """Pretrain a GPT on text, and measure what it has learnt.

    A corpus is any text in UTF-8, as .txt or .gz; it is learnt as it stands, with its line ends. The end of it is held
    out, and the model that predicts that best is kept. Without --corpus, the text is the documentation of the installed
    Python, NumPy and SciPy. With --from, a GPT that is there already is trained further, with its own tokenizer.

    \b
    Examples:
      minitransformer pretrain-gpt --corpus plays.txt --tokenizer characters
      minitransformer pretrain-gpt --from gpt-tiny --corpus novels.txt --lora 8 \\
        --out novels
    """
    run = train(GptPretrainingRun, context, default_out=None if model else f"gpt-{size}")
    word = (re.findall(r"\w+", run.tokenizer.decode(run.prompt_ids)) or [""])[0]
    click.echo(f'Saved to {run.folder}. Try:\nminitransformer generate {run.folder} "{word}" --temperature 0.8')
