"""minitransformer show architecture MODEL: the blocks of a model, with shapes and parameters."""

from pathlib import Path

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._models import load_gpt
from minitransformer.cli._translators import load_translator
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import TRANSLATORS, kind_of
from minitransformer.inference.architecture import architecture
from minitransformer.models.gpt import Gpt
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.nn.module import Module
from minitransformer.pictures.architecture import architecture_picture


@click.command()
@model_argument
@picture_options
def command(output: Output, model: str) -> None:
    """Show what a model is built of, and where its parameters are.

    MODEL is a BERT, a sentence encoder, a GPT or a translator: a folder, or the name of a model on the Hugging Face
    hub.

    \b
    Example:
      minitransformer show architecture my-bert --out bert.svg
    """
    output.show(architecture_picture(Path(model).name, architecture(loaded(model))))


def loaded(name: str) -> Module:
    """The model: of a sentence encoder what is inside, unless there are parameters after it."""
    kind = kind_of(name)
    if kind in TRANSLATORS:
        return load_translator(name)[0]
    if kind == Gpt.layout.model_type:
        return load_gpt(name)[0]
    whole = SentenceEncoder.from_pretrained(name)
    return whole if any(whole.head.named_parameters()) else whole.encoder
