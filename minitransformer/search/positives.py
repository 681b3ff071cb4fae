"""From a log to the pairs of query and product that a search model should learn.

Xie et al. 2022 ("ITEMS", arXiv 2209.05555), section 3: pairs that at least two users converted; of each query's
products the best k_q %, less for frequent queries than for rare ones; and for the second step of the cascade a multiset
in which the best come several times (their Algorithm 1):

    D' = {(q, p_j): j <= |P_q| k_q}     p_1, p_2, ... the products P_q of the query q, the best first
    D = D + D',  k_q = k_q / 2          and again, until D' is empty

Of eight products with k_q = 1, eight are in D, then four of them again, then two, then one: the best is there four
times. An epoch over D sees it four times as often, which is a weight without a weight.

The paper writes of the conversion rate, but its algorithm sorts by the number of conversions; here both can be had, and
the lift as well (search/evidence.py). Its k_q aren't published. Here k_q falls linearly with the logarithm of the
query's conversions. Thresholds of the lift, and of how often a product was shown, are ours.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minitransformer.corpora.search_log import Event
from minitransformer.errors import UserError
from minitransformer.search.evidence import MEASURES, Evidence, Pair, gather_evidence
from minitransformer.search.product_table import Product
from minitransformer.search.selection_report import SelectionReport, Step, describe_log, describe_step
from minitransformer.search.synthetic_queries import synthetic_pairs

_ROUNDING = 1e-9  # 100 * 0.29 is 28.999999999999996

PairEvidence = Mapping[Pair, Evidence]


class Selection(NamedTuple):
    """Which of the pairs with a conversion are positives, and how often each.

    min_users             of different users who converted it
    keep_top              the share of each query's products, the best by `measure` ("count", "rate" or "lift")
    keep_top_of_frequent  that share of the most frequent query, if it is another; queries between have one between
    min_shown             how often the search itself showed the product after the query, if the log says so
    min_lift              how much more often it is converted after this query than after any
    repeat_best           as Algorithm 1 does
    synthetic_share       of all pairs: those whose query is made from the words of the product's `synthetic_columns`
    """

    min_users: int = 1
    keep_top: float = 1.0
    keep_top_of_frequent: float | None = None
    measure: str = "count"
    min_shown: int = 0
    min_lift: float = 0.0
    repeat_best: bool = False
    synthetic_share: float = 0.0
    synthetic_columns: tuple[str, ...] = ()


EVERY_CONVERSION = Selection()


class Positives(NamedTuple):
    """The pairs, each as often as it is to be learnt, and the report of how they were selected."""

    pairs: list[Pair]
    report: SelectionReport


def select_positives(
    events: Sequence[Event], products: Sequence[Product], selection: Selection = EVERY_CONVERSION, seed: int = 0
) -> Positives:
    """The positives of a log of these products. Raises UserError if there are none, or the selection can't be made."""
    _check(selection)
    names = {product.id: product.name for product in products}
    evidence = gather_evidence(events)
    log = describe_log(events, evidence)
    steps: list[Step] = []
    for field, threshold, rule in (
        ("users", selection.min_users, f"converted by at least {selection.min_users} users"),
        ("shown", selection.min_shown, f"shown at least {selection.min_shown} times"),
        ("lift", selection.min_lift, f"a lift of at least {selection.min_lift:g}"),
    ):
        kept = at_least(evidence, field, threshold)
        if threshold > getattr(EVERY_CONVERSION, f"min_{field}"):
            steps.append(describe_step(rule, evidence, kept, names))
        evidence = kept
    shares = shares_of_queries(evidence, selection.keep_top, selection.keep_top_of_frequent)
    kept = keep_best(evidence, shares, selection.measure)
    if min(shares.values(), default=1) < 1:
        steps.append(describe_step(f"the best of a query by {selection.measure}", evidence, kept, names))
    pairs = repeat_best(evidence, shares, selection.measure) if selection.repeat_best else [*kept]
    if not pairs:
        what_was_left = "; ".join([log, *(step.in_a_line for step in steps)])
        raise UserError(f"no pair of the log is left as a positive; select less strictly ({what_was_left})")
    synthetic = synthetic_pairs(products, selection.synthetic_columns, selection.synthetic_share, len(pairs), seed)
    return Positives([*pairs, *synthetic], SelectionReport(log, steps, len(pairs), len(kept), len(synthetic)))


def at_least(evidence: PairEvidence, field: str, threshold: float) -> dict[Pair, Evidence]:
    """The pairs whose "users", "shown" or other field of the evidence reaches a threshold."""
    return {pair: found for pair, found in evidence.items() if getattr(found, field) >= threshold}


def keep_best(evidence: PairEvidence, shares: Mapping[str, float], measure: str) -> dict[Pair, Evidence]:
    """Of each query's products the best by a measure, as many as its share of them is, rounded down.

    Of equals, the one with more conversions is better, then the one that was converted first.
    """
    of_query: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in evidence:
        of_query[pair.query].append(pair)
    best = {}
    for query, pairs in of_query.items():
        pairs.sort(key=lambda pair: (-getattr(evidence[pair], measure), -evidence[pair].count))
        for pair in pairs[: math.floor(len(pairs) * shares[query] + _ROUNDING)]:
            best[pair] = evidence[pair]
    return best


def repeat_best(evidence: PairEvidence, shares: Mapping[str, float], measure: str) -> list[Pair]:
    """Algorithm 1 of the paper: the best of each query, then the best half of them again, and so on."""
    repeated: list[Pair] = []
    while best := keep_best(evidence, shares, measure):
        repeated += best
        shares = {query: share / 2 for query, share in shares.items()}
    return repeated


def shares_of_queries(evidence: PairEvidence, of_rare: float, of_frequent: float | None = None) -> dict[str, float]:
    """k_q of each query: from that of the rarest to that of the most frequent one, by the logarithm of conversions."""
    counts: Counter[str] = Counter()
    for pair, found in evidence.items():
        counts[pair.query] += found.count
    if of_frequent is None or len(set(counts.values())) < 2:
        return dict.fromkeys(counts, of_rare)
    rarest, span = min(counts.values()), math.log(max(counts.values()) / min(counts.values()))
    return {
        query: of_rare + (of_frequent - of_rare) * math.log(count / rarest) / span for query, count in counts.items()
    }


def _check(selection: Selection) -> None:
    if selection.measure not in MEASURES:
        raise UserError(f"the measure {selection.measure!r} is none of {', '.join(MEASURES)}")
    if selection.min_users < 1:
        raise UserError(f"min_users is {selection.min_users}; expected 1 or more")
    for name in ("keep_top", "keep_top_of_frequent"):
        share = getattr(selection, name)
        if share is not None and not 0 < share <= 1:
            raise UserError(f"{name} is {share:g}; expected a share above 0, and at most 1")
    if not 0 <= selection.synthetic_share < 1:
        raise UserError(f"synthetic_share is {selection.synthetic_share:g}; expected a share from 0 to below 1")
    if selection.synthetic_share and not selection.synthetic_columns:
        raise UserError("synthetic queries need synthetic_columns, such as brand; queries are made from their words")
