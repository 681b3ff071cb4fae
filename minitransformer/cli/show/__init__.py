"""minitransformer show WHAT ...: a file for each WHAT."""

import click

from minitransformer.cli._command_group import CommandGroup

WHAT = (
    "input",
    "attention",
    "layer",
    "architecture",
    "training",
    "translation",
    "similarity",
    "embeddings",
    "negatives",
)
SECTIONS = {"What": WHAT}


@click.command(cls=CommandGroup, package=__name__, sections=SECTIONS)
def command() -> None:
    """Show what happens in a model, as a picture.

    Without --out the numbers are printed. With --out they become a page (.html) or a drawing (.svg), each one file that
    needs no network, or data for other programs (.json).

    \b
    Example:
      minitransformer show attention my-bert "my dog is cute" --out dog.html
    """
