"""--same-meaning and --same-results: when one suggestion is shown for two."""

from collections.abc import Callable

import click

from minitransformer.cli._ranges import FiniteFloatRange
from minitransformer.search.suggestions import SAME_MEANING


def same_options(command: Callable) -> Callable:
    """The two options, as the arguments same_meaning and same_results."""
    for option in (
        click.option(
            "--same-results",
            default=0.0,
            metavar="SHARE",
            type=FiniteFloatRange(0, 1),
            help="... if at least this share of the products that they find is common to both.  [default: any]",
        ),
        click.option(
            "--same-meaning",
            default=SAME_MEANING,
            show_default=True,
            metavar="COSINE",
            type=FiniteFloatRange(-1, 1),
            help="Of two suggestions with at least this cosine the second is hidden ...",
        ),
    ):
        command = option(command)
    return command
