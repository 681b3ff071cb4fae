"""minitransformer evaluate translation MODEL FILE: BLEU, chrF and exact matches."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._translators import beams_option, length_penalty_option, translations_of
from minitransformer.evaluation.translation import translation_quality, translation_report


@click.command()
@model_argument
@click.argument("file", type=click.Path())
@beams_option
@length_penalty_option
@json_option
def command(model: str, file: str, beams: int, length_penalty: float, as_json: bool) -> None:
    """Translate the sources in FILE with MODEL, and compare the results with the targets.

    FILE is a table (TSV) with the columns source and target. BLEU and chrF are what sacrebleu computes by default.

    \b
    Example:
      minitransformer evaluate translation en-de dev.tsv --beams 4
    """
    found, targets = translations_of(model, file, beams, length_penalty)
    quality = translation_quality(found, targets)
    if as_json:
        print_json({**quality._asdict(), "examples": len(targets)})
    else:
        click.echo(translation_report(quality, len(targets)))
