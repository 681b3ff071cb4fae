"""What a log says about each pair of a query and a product.

A conversion is an event by which somebody takes a product: puts it into the cart, or buys it. For a pair,

    count    how many conversions it has
    users    how many different people made them: one person's habit is one
    shown    how often the product was shown after the query, as far as the log says
    rate     count / shown; 0 if it never was
    lift     P(product | query) / P(product): how much more often it is taken after this query than after any

Count and rate are high for what sells after every query: bananas, bought along with the oranges that were searched for.
Their lift is about 1, since they are bought along with everything. (Brin et al. 1997 call the lift "interest".)
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from minitransformer.corpora.search_log import Event
from minitransformer.errors import UserError
from minitransformer.search.terms import normalise_text

CONVERSIONS = ("add_to_cart", "purchase", "conversion")
IMPRESSIONS = ("impression", "view")
MEASURES = ("count", "rate", "lift")


class Pair(NamedTuple):
    query: str  # normalised
    product_id: str


@dataclass(frozen=True)
class Evidence:
    """See the module; `count`, `rate` and `lift` are what the products of a query can be ranked by."""

    count: int
    users: int
    shown: int
    lift: float

    @property
    def rate(self) -> float:
        return min(1.0, self.count / self.shown) if self.shown else 0.0


def gather_evidence(
    events: Iterable[Event],
    conversions: Collection[str] = CONVERSIONS,
    impressions: Collection[str] = IMPRESSIONS,
) -> dict[Pair, Evidence]:
    """The evidence for each pair that has a conversion, in the order of the first ones.

    `conversions` and `impressions` are the actions that count as such. Queries that differ in case, accents or spaces
    are one. Raises UserError if no action is a conversion.
    """
    users: defaultdict[Pair, list[str]] = defaultdict(list)  # of each conversion
    shown: Counter[Pair] = Counter()
    actions: Counter[str] = Counter()
    for event in events:
        actions[event.action] += 1
        pair = Pair(normalise_text(event.query), event.product_id)
        if event.action in conversions:
            users[pair].append(event.user)
        elif event.action in impressions:
            shown[pair] += 1
    if not users:
        found = ", ".join(f"{action[:40]!r} ({count:,})" for action, count in actions.most_common(5))
        raise UserError(f"the log has no conversions; expected the action {' or '.join(conversions)}, found: {found}")
    of_query, of_product = Counter[str](), Counter[str]()
    for pair, buyers in users.items():
        of_query[pair.query] += len(buyers)
        of_product[pair.product_id] += len(buyers)
    total = of_query.total()
    return {
        pair: Evidence(
            count=len(buyers),
            users=len(set(buyers)),
            shown=shown[pair],
            lift=len(buyers) * total / (of_query[pair.query] * of_product[pair.product_id]),
        )
        for pair, buyers in users.items()
    }
