"""minitransformer suggest INDEX "pre": what might be searched for."""

import click

from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._same_options import same_options
from minitransformer.cli._texts import TEXT
from minitransformer.formatting import printable
from minitransformer.search.product_index import ProductIndex
from minitransformer.search.suggestions import SHOW_ALL, Hidden


@click.command()
@click.argument("index", type=click.Path())
@click.argument("prefix", type=TEXT)
@click.option("--top", default=10, show_default=True, metavar="N", help="How many suggestions to print at most.")
@click.option("--all", "show_all", is_flag=True, help="Show suggestions that mean the same, too.")
@click.option("--explain", is_flag=True, help="Say what each suggestion hides, since it means the same.")
@same_options
@json_option
def command(
    index: str,
    prefix: str,
    top: int,
    show_all: bool,
    explain: bool,
    same_meaning: float,
    same_results: float,
    as_json: bool,
) -> None:
    """Complete what somebody has begun to type.

    Suggestions are past queries and phrases of products' names. They begin with PREFIX, or have a word that does; if
    there are few of those, typing errors are corrected. INDEX is from `minitransformer index`.

    \b
    Example:
      minitransformer suggest shop "mac" --explain
    """
    cosine = SHOW_ALL if show_all else same_meaning
    suggestions = ProductIndex.open(index).suggest(prefix, top, same_meaning=cosine, same_results=same_results)
    if as_json:
        print_json({"prefix": prefix, "suggestions": [suggestion.as_json() for suggestion in suggestions]})
        return
    if not suggestions:
        click.echo("nothing was found", err=True)
    for suggestion in suggestions:
        note = f"  (for {suggestion.correction!r})" if suggestion.correction else ""
        click.echo(printable(suggestion.text + note))
        for hidden in suggestion.hides if explain else ():
            click.echo(printable(f"  hides {_in_words(hidden)}"))


def _in_words(hidden: Hidden) -> str:
    overlap = "" if hidden.overlap is None else f", {hidden.overlap:.0%} of the products"
    return f"{hidden.text}, cosine {hidden.cosine:.3f}{overlap}"
