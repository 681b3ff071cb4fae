"""minitransformer evaluate WHAT MODEL ...: a file for each WHAT."""

import click

from minitransformer.cli._command_group import CommandGroup

SECTIONS = {"What": ("pretraining", "gpt", "translation", "sql", "sts", "senteval", "search", "suggest", "duplicates")}


@click.command(cls=CommandGroup, package=__name__, sections=SECTIONS)
def command() -> None:
    """Measure how good a model is, next to baselines.

    \b
    Example:
      minitransformer evaluate sts my-sbert stsb-dev.tsv
    """
