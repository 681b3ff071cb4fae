"""What a selection of positives kept and threw away, in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minitransformer.corpora.search_log import Event
from minitransformer.formatting import printable
from minitransformer.search.evidence import Evidence, Pair

EXAMPLES = 4


class Step(NamedTuple):
    """A rule, how many pairs it kept and threw away, and those with the most conversions."""

    rule: str
    num_kept: int
    num_thrown_away: int
    kept_examples: list[str]
    thrown_away_examples: list[str]

    @property
    def in_a_line(self) -> str:
        num_before = self.num_kept + self.num_thrown_away
        share = self.num_kept / max(num_before, 1)
        kept = f"{self.num_kept:,} of {num_before:,} pairs kept ({share:.1%})"
        return f"{self.rule}: {kept}, {self.num_thrown_away:,} thrown away"

    def __str__(self) -> str:
        lines = [self.in_a_line]
        for what, examples in (("kept", self.kept_examples), ("thrown away", self.thrown_away_examples)):
            if examples:
                lines.append(f"  {what}: {', '.join(examples)}")
        return "\n".join(lines)


class SelectionReport(NamedTuple):
    """Printing it gives a readable page.

    num_pairs       positives from the log, each as often as it is there
    num_different   how many of them are different
    num_synthetic   positives beside them whose queries are made from product data
    """

    log: str
    steps: list[Step]
    num_pairs: int
    num_different: int
    num_synthetic: int

    def __str__(self) -> str:
        positives = f"{self.num_pairs:,} positives"
        if self.num_different < self.num_pairs:
            positives += f", {self.num_different:,} of them different"
        if self.num_synthetic:
            positives += f", and {self.num_synthetic:,} with synthetic queries"
        return "\n".join([self.log, *map(str, self.steps), positives])


def describe_log(events: Sequence[Event], evidence: Mapping[Pair, Evidence]) -> str:
    """How much of a log speaks of positives, in a sentence."""
    times = sorted({event.time for event in events if event.time})
    period = f" from {times[0][:19]} to {times[-1][:19]}" if times else ""
    conversions = sum(found.count for found in evidence.values())
    queries, products = len({pair.query for pair in evidence}), len({pair.product_id for pair in evidence})
    of_pairs = f"of {len(evidence):,} pairs of {queries:,} queries and {products:,} products"
    return printable(f"{len(events):,} events{period}, among them {conversions:,} conversions {of_pairs}")


def describe_step(
    rule: str, before: Mapping[Pair, Evidence], kept: Mapping[Pair, Evidence], names: Mapping[str, str]
) -> Step:
    """The step from the pairs before to those that it kept."""
    thrown_away = {pair: found for pair, found in before.items() if pair not in kept}
    return Step(rule, len(kept), len(thrown_away), _examples(kept, names), _examples(thrown_away, names))


def _examples(evidence: Mapping[Pair, Evidence], names: Mapping[str, str]) -> list[str]:
    most = sorted(evidence, key=lambda pair: -evidence[pair].count)[:EXAMPLES]
    return [printable(f'"{query[:40]}": {names.get(product, product)[:60]}') for query, product in most]
