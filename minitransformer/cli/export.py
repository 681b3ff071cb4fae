"""minitransformer export INDEX --to ENGINE --out DIR: files that a larger engine loads."""

from pathlib import Path

import click

from minitransformer.search.export import WRITERS, export_index
from minitransformer.search.product_index import ProductIndex


@click.command()
@click.argument("index", type=click.Path())
@click.option("--to", "engine", required=True, type=click.Choice([*WRITERS]), help="The engine.")
@click.option("--out", required=True, type=click.Path(), metavar="DIR", help="The folder for the files.")
def command(index: str, engine: str, out: str) -> None:
    """Write an index as files for Qdrant, OpenSearch or pgvector.

    They hold the products with all their columns and embeddings. The commands that load them are printed, for an engine
    on this machine.

    \b
    Example:
      minitransformer export shop --to pgvector --out shop-sql
    """
    click.echo("\n".join(export_index(ProductIndex.open(index), engine, Path(out))))
