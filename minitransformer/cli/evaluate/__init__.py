"""minitransformer evaluate WHAT MODEL ...: a file for each WHAT."""

import sys

import click

from minitransformer.cli.main import CommandPerModule


@click.command(cls=CommandPerModule, package=sys.modules[__name__])
def command() -> None:
    """Measure what a model is worth."""
