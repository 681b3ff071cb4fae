"""minitransformer evaluate search INDEX JUDGMENTS.tsv: are the right products at the top?"""

import click

from minitransformer.cli._json import json_option, print_json
from minitransformer.errors import UserError
from minitransformer.evaluation.judgments import read_judgments
from minitransformer.evaluation.search import (
    NAMES,
    RECALL_AT,
    Judgments,
    answerable,
    ideal_rankings,
    interval,
    random_rankings,
    score_rankings,
    search_report,
)
from minitransformer.search.fusion import MEANING
from minitransformer.search.product_index import ProductIndex

SEARCHES = {"words and meaning": MEANING, "words": 0.0, "meaning": 1.0}  # how much the embeddings count in each


@click.command()
@click.argument("index", type=click.Path())
@click.argument("judgments", type=click.Path(), metavar="JUDGMENTS.tsv")
@click.option("--exponential", is_flag=True, help="Take 2^gain - 1 for each gain, as is usual for grades 0, 1, 2, 3.")
@click.option(
    "--right-from", default=1e-9, metavar="GAIN", help="The gain from which a product is right.  [default: > 0]"
)
@json_option
def command(index: str, judgments: str, exponential: bool, right_from: float, as_json: bool) -> None:
    """Print how well an index answers queries that people judged products for.

    JUDGMENTS.tsv has the columns query, product_id and gain (or rating): 0 for a wrong product, the more the better.
    Search as it is stands next to words alone and meaning alone, to what chance finds, and to the best there could be.
    The intervals are those of 95 % over queries.

    \b
    Example:
      minitransformer evaluate search shop judgments.tsv
    """
    if exponential:
        right_from = 2.0**right_from - 1
    judged = read_judgments(judgments, exponential)
    queries = answerable(judged, right_from)
    if not queries:
        raise UserError(f"{judgments} has no query with a right product: all gains are below {right_from:g}")
    rankings = rankings_of(ProductIndex.open(index), queries)
    results = {name: score_rankings(found, queries, right_from) for name, found in rankings.items()}
    if as_json:
        by_name = {
            name: {
                **{column: values.mean() for column, values in zip(NAMES, scores, strict=True)},
                "interval": interval(scores.ndcg),
            }
            for name, scores in results.items()
        }
        print_json({"queries": len(queries), **by_name})
        return
    left_out = len(judged) - len(queries)
    click.echo(f"{len(queries):,} queries" + f", and {left_out:,} without a right product" * bool(left_out))
    click.echo(search_report(results))


def rankings_of(index: ProductIndex, queries: Judgments) -> dict[str, dict[str, list[str]]]:
    """What each search finds, and the rankings to compare with."""
    found = {
        name: {query: [hit.id for hit in index.search(query, RECALL_AT, meaning=meaning)] for query in queries}
        for name, meaning in SEARCHES.items()
    }
    return {**found, "random": random_rankings(index.ids(), queries), "ideal": ideal_rankings(queries)}
