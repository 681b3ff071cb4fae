"""minitransformer train-suggest INDEX --log LOG.tsv: the order of suggestions, learnt from what people did."""

from functools import partial
from pathlib import Path

import click

from minitransformer.cli._json import json_option, print_json
from minitransformer.corpora.search_log import read_search_log
from minitransformer.files import locked
from minitransformer.formatting import format_table
from minitransformer.search.indexing import LOCK_FILE
from minitransformer.search.past_searches import searches_of
from minitransformer.search.product_index import ProductIndex
from minitransformer.search.shown_lists import read_shown_lists
from minitransformer.search.suggestion_ranking import BUYING, FEW, PICKING
from minitransformer.search.words import finds_few
from minitransformer.training.suggestion_ranking import train_suggestion_ranking


@click.command()
@click.argument("index", type=click.Path())
@click.option("--log", required=True, type=click.Path(), metavar="TSV", help="Columns query, product_id, user, action.")
@click.option("--lists", type=click.Path(), metavar="TSV", help="What was shown and picked: prefix, shown, picked.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Random seed: which fifth of the users to learn from.",
)
@json_option
def command(index: str, log: str, lists: str | None, seed: int, as_json: bool) -> None:
    """Learn in which order an index suggests: by p(picked) p(cart).

    The probability that a suggestion is picked from its list is learnt from LISTS; without it, from the searches of the
    log, typed anew. The probability that a search ends in the cart is learnt from the log's actions (add_to_cart,
    purchase or conversion). An open index uses the new order at once. Delete suggestions.json in INDEX to go back to
    popularity.

    \b
    Example:
      minitransformer index products.tsv --out shop --queries log.tsv
      minitransformer train-suggest shop --log log.tsv
    """
    product_index = ProductIndex.open(index)
    catalogue = product_index.catalogue
    searches = searches_of(read_search_log(log, set(product_index.ids())))
    shown = read_shown_lists(lists) if lists else None
    few = partial(finds_few, catalogue.connection, few=FEW)
    with locked(Path(index) / LOCK_FILE, f"the index {index}"):
        with catalogue.transaction("DEFERRED"):
            trained = train_suggestion_ranking(searches, shown, catalogue.suggestible, few, seed)
        trained.ranking.write(Path(index))
        with catalogue.transaction():
            pass  # by which those that have the index open notice
    weights = {
        factor: dict(zip(names, regression.weights.tolist(), strict=True))
        for factor, names, regression in (
            ("picked", PICKING, trained.ranking.picking),
            ("cart", BUYING, trained.ranking.buying),
        )
    }
    if as_json:
        print_json({"lists": trained.num_lists, "searches": trained.num_searches, **weights})
        return
    click.echo(f"learnt from {trained.num_lists:,} lists and {trained.num_searches:,} searches of a fifth of the users")
    rows = [[f"p({factor})", name, f"{weight:+.2f}"] for factor, of in weights.items() for name, weight in of.items()]
    click.echo(format_table([["", "feature", "weight"], *rows]))
