"""How many of a log's positives are right, and how many of the right ones does a filter keep? On SIMULATED logs.

    python -m scripts.experiments.log_positives ../shared/data

The log is that of simulated_log.py, whose products and baskets are real. A pair of query and product that was
converted is right if the simulation knows it for the right type of product (grade 2 or 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from minitransformer.search.evidence import Evidence, Pair, gather_evidence
from minitransformer.search.positives import at_least, keep_best, shares_of_queries
from minitransformer.search.terms import normalise_text
from scripts.experiments.simulated_log import CUSTOMERS, read_world
from scripts.experiments.simulation.products import RIGHT
from scripts.experiments.simulation.sessions import SimulatedEvent
from scripts.pages import table

PairEvidence = Mapping[Pair, Evidence]


class Filter(NamedTuple):
    """The thresholds of a selection (search/positives.py), as far as they are compared here."""

    users: int = 1
    shown: int = 0
    lift: float = 0.0
    keep_top: float = 1.0
    measure: str = "count"

    def __str__(self) -> str:
        parts = [
            f"{self.users} users" if self.users > 1 else "",
            f"shown {self.shown} times" if self.shown else "",
            f"lift {self.lift:g}" if self.lift else "",
            f"the best {self.keep_top:.0%} by {self.measure}" if self.keep_top < 1 else "",
        ]
        return ", ".join(filter(None, parts)) or "every conversion"

    def __call__(self, evidence: PairEvidence) -> PairEvidence:
        for field in ("users", "shown", "lift"):
            evidence = at_least(evidence, field, getattr(self, field))
        return keep_best(evidence, shares_of_queries(evidence, self.keep_top), self.measure)


FILTERS = (
    Filter(),
    *(Filter(users=users) for users in (2, 3)),
    *(Filter(lift=lift) for lift in (3, 10)),
    Filter(users=2, lift=3),
    *(Filter(users=2, keep_top=0.5, measure=measure) for measure in ("count", "rate", "lift")),
    *(Filter(shown=shown) for shown in (1, 2, 3, 5, 8, 12)),
    *(Filter(shown=shown, lift=3) for shown in (1, 2, 3, 5, 8, 12)),
)


class Scores(NamedTuple):
    """Shares of the different pairs, and of the conversions that they have."""

    num_pairs: int
    precision: float
    recall: float
    conversion_precision: float
    conversion_recall: float


@click.command()
@click.argument("data")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Simulated logs.")
def main(data: str, seeds: int) -> None:
    """Simulate logs from the real tables in DATA, filter them, and hold what is left against the truth."""
    world = read_world(Path(data))
    found: dict[Filter, list[Scores]] = {chosen: [] for chosen in FILTERS}
    for seed in range(1, seeds + 1):  # on seed 0 we looked for thresholds
        log = world.log(seed)
        evidence, right = gather_evidence(simulated.event for simulated in log), right_pairs(log)
        for chosen, scores in found.items():
            scores.append(score(chosen(evidence), evidence, right))
    print(f"Simulated: means of {seeds} logs of {CUSTOMERS.sessions:,} searches.\n")
    header = ["kept", "pairs", "precision", "recall", "precision by conversions", "recall by conversions"]
    print(table(header, [[str(chosen), *cells(scores)] for chosen, scores in found.items()]))


def right_pairs(log: Sequence[SimulatedEvent]) -> set[Pair]:
    """The pairs of the log, as it spells the queries, that are right."""
    return {
        Pair(normalise_text(simulated.event.query), simulated.event.product_id)
        for simulated in log
        if simulated.grade >= RIGHT
    }


def score(kept: PairEvidence, evidence: PairEvidence, right: set[Pair]) -> Scores:
    """Of what is kept the share that is right, and of the right ones among all evidence the share that is kept."""
    kept_and_right, all_right = right & kept.keys(), right & evidence.keys()

    def conversions(pairs: set[Pair] | PairEvidence) -> int:
        return sum(evidence[pair].count for pair in pairs)

    return Scores(
        len(kept),
        len(kept_and_right) / max(len(kept), 1),
        len(kept_and_right) / max(len(all_right), 1),
        conversions(kept_and_right) / max(conversions(kept), 1),
        conversions(kept_and_right) / max(conversions(all_right), 1),
    )


def cells(scores: Sequence[Scores]) -> list[str]:
    number, *shares = np.mean(scores, axis=0)
    return [f"{number:,.0f}", *(f"{share:.3f}" for share in shares)]


if __name__ == "__main__":
    main()
