"""minitransformer index PRODUCTS.tsv --model MODEL --out DIR: products that can be searched."""

import sys
from functools import partial
from pathlib import Path

import click
import numpy as np

from minitransformer.corpora.text_files import read_lines
from minitransformer.models.two_towers import TwoTowers
from minitransformer.search.embedded_texts import Embed
from minitransformer.search.index_model import IndexModel
from minitransformer.search.index_settings import IndexSettings
from minitransformer.search.indexing import index_products
from minitransformer.search.product_table import read_products, read_queries
from minitransformer.training.machines import Machines, this_job


@click.command()
@click.argument("products", type=click.Path(), metavar="PRODUCTS.tsv")
@click.option(
    "--model",
    type=click.Path(),
    help="The encoder or the towers to embed with; needed for a new index only.",
)
@click.option("--out", required=True, type=click.Path(), metavar="DIR", help="The index, new or to be updated.")
@click.option("--embed", "embedded", multiple=True, metavar="COLUMN", help="Embed this column, too; may be repeated.")
@click.option("--category", metavar="COLUMN", help="A column of categories: search leaves out those that don't fit.")
@click.option("--queries", type=click.Path(), metavar="TSV", help="Past queries to suggest (query, count), or a log.")
@click.option("--block", type=click.Path(), metavar="FILE", help="Words and phrases never to suggest, one per line.")
@click.option("--keep-others", is_flag=True, help="Keep products of the index that PRODUCTS.tsv doesn't have.")
def command(
    products: str,
    model: str | None,
    out: str,
    embedded: tuple[str, ...],
    category: str | None,
    queries: str | None,
    block: str | None,
    keep_others: bool,
) -> None:
    """Make products searchable, or bring an index up to date.

    PRODUCTS.tsv is a table with a header. It has an id in the column product_id (or id), and a name in name (or title);
    search can filter by all other columns. Afterwards the index holds the products of the table and no others. Only
    what has changed is embedded, and after Ctrl-C the same command goes on. An option that isn't given stays as it was.

    \b
    Example:
      minitransformer index products.tsv --out shop \\
        --model sentence-transformers/all-MiniLM-L6-v2 --category department
      minitransformer search shop "chocolate milk"
    """
    job = this_job()
    if job.rank > 0:
        embed_for_the_first(job, Path(out))
        return
    changes = index_products(
        Path(out),
        read_products(products),
        TwoTowers.from_pretrained(model) if model else None,
        embedded=embedded or None,
        category=category,
        queries=read_queries(queries) if queries else None,
        blocked=[line for _, line in read_lines(Path(block)) if line] if block else None,
        keep_others=keep_others,
        show_progress=sys.stderr.isatty(),
        spread=partial(embed_with_others, job),
    )
    job.gather(None)  # no more texts
    click.echo(f"{out}: {changes}")


def embed_with_others(job: Machines, embed: Embed, texts: list[str]) -> np.ndarray:
    """embed(texts), of which each process of the job embeds its share."""
    if job.size == 1:
        return embed(texts)
    job.gather((embed.__name__, texts))
    return np.concatenate(job.all(embed, job.share(texts)))


def embed_for_the_first(job: Machines, folder: Path) -> None:
    """What the other processes do while the first one indexes: their shares of its texts, until there are no more."""
    model = None
    while (asked := job.gather(None)[0]) is not None:
        name, texts = asked
        model = model or IndexModel(folder, IndexSettings.read(folder).model)
        job.all(getattr(model, name), job.share(texts))
