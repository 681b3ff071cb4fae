"""minitransformer search INDEX "query": the best products for a query."""

import click

from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._texts import TEXT
from minitransformer.formatting import format_table, printable
from minitransformer.search.catalogue import conditions
from minitransformer.search.product_index import Hit, ProductIndex


@click.command()
@click.argument("index", type=click.Path())
@click.argument("query", type=TEXT)
@click.option("--top", default=10, show_default=True, metavar="N", help="How many products to print at most.")
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only products that have VALUE in COLUMN; may be repeated, and for one COLUMN any of the values will do.",
)
@click.option("--explain", is_flag=True, help="Say why: cosine and BM25 with the ranks by each, and the words matched.")
@json_option
def command(index: str, query: str, top: int, where: tuple[str, ...], explain: bool, as_json: bool) -> None:
    """Print the best products for a query.

    They are ranked by meaning (the cosine of embeddings) and by words (BM25) together. INDEX is from `minitransformer
    index`.

    \b
    Example:
      minitransformer search shop "chocolate milk" \\
        --where department="dairy eggs" --explain
    """
    hits = ProductIndex.open(index).search(query, top, conditions(where))
    if as_json:
        print_json({"query": query, "hits": [hit.as_json(explain) for hit in hits]})
    elif not hits:
        click.echo("nothing was found", err=True)
    else:
        header = ["score", "id", "name", *(["cosine", "rank", "words", "rank", "which"] if explain else [])]
        click.echo(format_table([header, *(_row(hit, explain) for hit in hits)]))


def _row(hit: Hit, explain: bool) -> list[str]:
    row = [f"{hit.score:.3f}", printable(hit.id), printable(hit.name)]
    if explain:
        row += [f"{hit.cosine:.3f}", f"{hit.cosine_rank:,}", f"{hit.word_score:.2f}"]
        row += [f"{hit.word_rank:,}" if hit.word_rank else "", " ".join(hit.words)]
    return row
