"""The searches of a log: who searched for what, and what came of it.

A search is a query and a user: somebody who asks the same again is one. It succeeded if a product was put into the cart
or bought (search/evidence.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from minitransformer.corpora.search_log import Event
from minitransformer.search.evidence import CONVERSIONS
from minitransformer.search.terms import normalise_text

CLICKS = ("click", *CONVERSIONS)
MIN_USERS = 2  # who clicked something after a query that is suggested to others


class Search(NamedTuple):
    """added is how many different products were put into the cart."""

    query: str
    user: str
    clicked: bool
    added: int


def searches_of(events: Iterable[Event]) -> list[Search]:
    """The searches in the order of their first events. Queries are normalised."""
    clicked: defaultdict[tuple[str, str], bool] = defaultdict(bool)
    added: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        search = normalise_text(event.query), event.user
        clicked[search] |= event.action in CLICKS
        if event.action in CONVERSIONS:
            added[search].add(event.product_id)
    return [Search(*search, any_click, len(added[search])) for search, any_click in clicked.items()]


def queries_with_clicks(searches: Iterable[Search], min_users: int = MIN_USERS) -> dict[str, int]:
    """The queries after which so many users clicked something, and how many users searched for them.

    What one person alone searched for is nobody else's business, and mostly a typing error.
    """
    users, who_clicked = Counter[str](), Counter[str]()
    for search in searches:
        users[search.query] += 1
        who_clicked[search.query] += search.clicked
    return {query: count for query, count in users.items() if who_clicked[query] >= min_users}
