"""minitransformer evaluate suggest INDEX QUERIES.tsv: how soon is what somebody types suggested?"""

from bisect import bisect_left
from collections.abc import Sequence

import click

from minitransformer.cli._json import json_option, print_json
from minitransformer.errors import UserError
from minitransformer.evaluation.suggestions import AT, LETTERS, SuggestionScores, score_suggestions
from minitransformer.formatting import format_table
from minitransformer.search.product_index import ProductIndex
from minitransformer.search.product_table import read_queries
from minitransformer.search.suggestion_ranking import SuggestionRanking
from minitransformer.search.suggestions import SAME_MEANING, SHOW_ALL
from minitransformer.search.terms import normalise_text


@click.command()
@click.argument("index", type=click.Path())
@click.argument("queries", type=click.Path(), metavar="QUERIES.tsv")
@json_option
def command(index: str, queries: str, as_json: bool) -> None:
    """Print how soon queries are suggested when they are typed.

    QUERIES.tsv has the columns query and count: queries that the index wasn't made with, or from a later time. Next to
    the suggestions stand those that also show what means the same, those by popularity alone if an order was learnt
    (train-suggest), and the texts that begin with what was typed, by popularity.

    \b
    Example:
      minitransformer evaluate suggest shop queries-of-today.tsv
    """
    counts: dict[str, int] = {}
    for query, count in read_queries(queries).items():
        if (text := normalise_text(query)) and count:
            counts[text] = counts.get(text, 0) + count
    if not counts:
        raise UserError(f"{queries} has no query that anybody searched for; expected some, with counts above 0")
    product_index = ProductIndex.open(index)

    def suggest(typed: str, same_meaning: float = SAME_MEANING, ranked: bool = True) -> list[str]:
        found = product_index.suggest(typed, AT, same_meaning=same_meaning, ranked=ranked)
        return [suggestion.text for suggestion in found]

    scores = {
        "suggestions": score_suggestions(suggest, counts),
        "without hiding any": score_suggestions(lambda typed: suggest(typed, SHOW_ALL), counts),
    }
    if SuggestionRanking.read(product_index.folder):
        scores["without what was learnt"] = score_suggestions(lambda typed: suggest(typed, ranked=False), counts)
    scores |= {
        "beginnings by popularity": score_suggestions(Beginnings(product_index.suggested_texts()).find, counts),
    }
    if as_json:
        print_json(scores)
    else:
        header = ["", f"MRR@{AT}", *(f"after {n}" for n in LETTERS), "saved", "never"]
        click.echo(format_table([header, *([name, *_cells(score)] for name, score in scores.items())]))


class Beginnings:
    """What any suggestions must beat: of texts by falling popularity, the first that begin with what was typed."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.places = {text: place for place, text in enumerate(texts)}
        self.sorted = sorted(texts)

    def find(self, typed: str) -> list[str]:
        low, high = (bisect_left(self.sorted, bound) for bound in (typed, typed + "\U0010ffff"))
        return sorted(self.sorted[low:high], key=self.places.__getitem__)[:AT]


def _cells(score: SuggestionScores) -> list[str]:
    shares = [*score.success, score.keystrokes_saved, score.never_suggested]
    return [f"{score.mean_reciprocal_rank:.3f}", *(f"{share:.1%}" for share in shares)]
