"""minitransformer complete MODEL "Let me kn": one suggestion for how a text goes on, or none."""

from pathlib import Path

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import load_gpt
from minitransformer.cli._ranges import SHARE
from minitransformer.cli._texts import TEXT
from minitransformer.corpora.text_files import read_lines
from minitransformer.inference.completion.completer import Completer
from minitransformer.inference.completion.personal_ngrams import PersonalNgrams


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--min-confidence", default=0.0, show_default=True, type=SHARE, help="Print none that is less sure.")
@click.option("--own-texts", type=click.Path(path_type=Path), help="What the writer has written, a text a line.")
@click.option("--own-share", default=0.4, show_default=True, type=SHARE, help="How much --own-texts count.")
@json_option
def command(
    model: str, text: str, min_confidence: float, own_texts: Path | None, own_share: float, as_json: bool
) -> None:
    """Print what to put after TEXT, if the model is sure enough.

    A suggestion ends with the sentence or before it, and has no names, numbers, or pronouns such as "he". It has as
    many words as are sure enough: its confidence is the probability that all of them come. MODEL is a folder from
    `pretrain-gpt`, or a GPT-2.

    \b
    Example:
      minitransformer complete my-gpt "Let me kn" --min-confidence 0.3
    """
    gpt, tokenizer = load_gpt(model)
    personal = None
    if own_texts is not None:
        ids = (tokenizer.encode(line) for _, line in read_lines(own_texts))
        personal = PersonalNgrams(ids, tokenizer.vocab_size)
    completer = Completer(gpt, tokenizer, personal=personal, personal_share=own_share)
    suggestion = completer.suggest(text, min_confidence)
    if as_json:
        print_json({"text": text, "suggestion": suggestion and suggestion._asdict()})
    elif suggestion is None:
        click.echo("Note: no suggestion is sure enough", err=True)
    else:
        click.echo(suggestion.text)
