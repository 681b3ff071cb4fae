"""minitransformer evaluate duplicates INDEX PAIRS.tsv: how well suggestions with one meaning are found."""

import click
import numpy as np

from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._ranges import FiniteFloatRange
from minitransformer.evaluation.duplicates import THRESHOLDS, area_under_curve, choose_threshold, score_duplicates
from minitransformer.evaluation.labelled_pairs import LabelledPair, read_labelled_pairs
from minitransformer.formatting import format_table, in_digits, printable
from minitransformer.search.product_index import ProductIndex


@click.command()
@click.argument("index", type=click.Path())
@click.argument("pairs", type=click.Path(), metavar="PAIRS.tsv")
@click.option(
    "--same-results",
    default=0.0,
    metavar="SHARE",
    type=FiniteFloatRange(0, 1),
    help="Take a pair for the same only if, of the products that the two find, at least this share is common to both.",
)
@click.option("--explain", is_flag=True, help="Print each pair with its cosine and overlap, the nearest first.")
@json_option
def command(index: str, pairs: str, same_results: float, explain: bool, as_json: bool) -> None:
    """Print how well the cosine finds suggestions with the same meaning.

    PAIRS.tsv has the columns first, second and same (yes or no). For each threshold stand the share of the pairs taken
    for the same that are, and the share of the same that are found. Then a threshold is chosen on one half of the pairs
    and measured on the other: `suggest` and `serve` take it as --same-meaning.

    \b
    Example:
      minitransformer evaluate duplicates shop pairs.tsv --explain
    """
    labelled = read_labelled_pairs(pairs)
    product_index = ProductIndex.open(index)
    cosines, overlaps = cosines_and_overlaps(product_index, labelled)
    truth = [pair.same for pair in labelled]
    taken = np.where(overlaps >= same_results, cosines, -1)
    scores, area = score_duplicates(taken, truth, THRESHOLDS), area_under_curve(taken, truth)
    chosen = choose_threshold(taken, truth)
    if as_json:
        found = [
            {**pair._asdict(), "cosine": cosine, "overlap": overlap}
            for pair, cosine, overlap in zip(labelled, cosines, overlaps, strict=True)
        ]
        print_json({"area_under_curve": area, "thresholds": scores, "chosen_on_half": chosen, "pairs": found})
        return
    click.echo(f"{sum(truth):,} pairs that mean the same and {len(truth) - sum(truth):,} that don't; ", nl=False)
    click.echo(f"area under the curve {area:.3f}")
    rows = [[f"{s.threshold:.2f}", *(in_digits(n, 3) for n in (s.precision, s.recall, s.f1))] for s in scores]
    click.echo(format_table([["threshold", "precision", "recall", "F1"], *rows]))
    other = f"precision {in_digits(chosen.precision, 3)}, recall {chosen.recall:.3f} on the other half"
    click.echo(f"chosen on half of the pairs: {chosen.threshold:.2f}, with {other}")
    if explain:
        order = np.argsort(-cosines, kind="stable")
        pair_rows = [_row(labelled[place], cosines[place], overlaps[place]) for place in order]
        click.echo(format_table([["first", "second", "same", "cosine", "overlap"], *pair_rows]))


def cosines_and_overlaps(index: ProductIndex, pairs: list[LabelledPair]) -> tuple[np.ndarray, np.ndarray]:
    """(n,) of each pair: the cosine of its texts, and the share of products that both find."""
    cosines = [index.query_embedding(pair.first) @ index.query_embedding(pair.second) for pair in pairs]
    return np.array(cosines), np.array([index.overlap(pair.first, pair.second) for pair in pairs])


def _row(pair: LabelledPair, cosine: float, overlap: float) -> list[str]:
    texts = [printable(pair.first), printable(pair.second)]
    return [*texts, "yes" if pair.same else "no", f"{cosine:.3f}", f"{overlap:.2f}"]
