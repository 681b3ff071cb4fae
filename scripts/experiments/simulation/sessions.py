"""From searches to a log: who saw what, looked at what, clicked it, and put it into the cart.

Each session is one search. The first ten results that are in stock are shown; a rank is looked at as the fitted
examination says; what is looked at is clicked, and what is clicked is put into the cart, with probabilities that
depend on the grade alone. Then comes what makes logs hard to learn from:

    basket   while the search is open something else is put into the cart, out of a real basket with the same product,
             and the log credits it to the search. Half of the pages offer it, in a row "often bought with"
    habit    some users take the same thing after the same search, again and again
    bot      one "user" takes whatever it is shown

Of each event the log keeps what the shop can't know: the grade, which noise it is (or none), whether it was examined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from minitransformer.corpora.search_log import Event
from minitransformer.randomness import generator
from scripts.experiments.simulation.products import Shop
from scripts.experiments.simulation.queries import Queries, Spelling
from scripts.experiments.simulation.results import OldSearch

PAGE, ROW = 10, 3  # results on a page, products in the row under them
CLICK = np.array([0.03, 0.08, 0.3, 0.55])  # of a result that is looked at, by its grade (assumed)
CONVERT = np.array([0.02, 0.08, 0.25, 0.5])  # of a click, by its grade (assumed)
FIRST_DAY, DAYS = datetime(2026, 1, 1), 28


class Customers(NamedTuple):
    """How the simulated customers behave; shares are of sessions."""

    sessions: int = 40_000
    users: int = 4_000
    out_of_stock: float = 0.15  # of the products, in each session
    shuffled: float = 0.1  # whose results come in random order
    misspelt: float = 0.07  # queries
    basket_noise: float = 0.25  # of the sessions with a conversion
    with_row: float = 0.5  # of the sessions with a conversion
    habits: int = 20  # users with one, each with HABIT conversions
    bot: int = 300  # conversions


HABIT = 15


class SimulatedEvent(NamedTuple):
    """An event, and what only the simulator knows of it."""

    event: Event
    text: str  # the query as it is spelt well
    grade: int
    noise: str  # "" if it is none
    examined: bool


def simulate(
    shop: Shop, queries: Queries, spelling: Spelling, examination: np.ndarray, customers: Customers, seed: int
) -> list[SimulatedEvent]:
    """The events of all sessions, in the order of time."""
    return [*Simulator(shop, queries, spelling, examination, customers, seed).events()]


class Simulator:
    """One log in the making: what it is made of, and the random numbers of its seed."""

    def __init__(
        self, shop: Shop, queries: Queries, spelling: Spelling, examination: np.ndarray, customers: Customers, seed: int
    ) -> None:
        self.shop, self.queries, self.spelling, self.customers = shop, queries, spelling, customers
        self.examination = examination[:PAGE]
        self.rng = generator(seed, "simulated log")
        search = OldSearch(shop)
        self.results = [search.find(text) for text in queries.texts]
        self.grades = [shop.grades(intent) for intent in queries.intents]
        self.baskets_with: defaultdict[int, list[int]] = defaultdict(list)
        for number, basket in enumerate(shop.baskets):
            for place in basket:
                self.baskets_with[place].append(number)

    def events(self) -> Iterator[SimulatedEvent]:
        rng, customers = self.rng, self.customers
        activity = rng.exponential(size=customers.users)
        users = rng.choice(customers.users, customers.sessions, p=activity / activity.sum())
        queries = rng.choice(len(self.queries.texts), customers.sessions, p=self.queries.probabilities)
        disturbances = self._disturbances()
        for session, (user, query) in enumerate(zip(users.tolist(), queries.tolist(), strict=True)):
            time = (FIRST_DAY + timedelta(days=DAYS) * session / customers.sessions).isoformat(timespec="seconds")
            yield from self._session(query, f"u{user}", time)
            for name, disturbed, product in disturbances[session]:
                text, noise = self.queries.texts[disturbed], "bot" if name == "bot" else "habit"
                yield self._event(disturbed, text, product, name, "add_to_cart", None, time, noise)

    def _session(self, query: int, user: str, time: str) -> Iterator[SimulatedEvent]:
        rng, customers, text = self.rng, self.customers, self.queries.texts[query]
        typed = self.spelling.misspell(text, rng) if rng.random() < customers.misspelt else text
        page = self.results[query]
        page = page[rng.random(len(page)) >= customers.out_of_stock]
        page = (rng.permutation(page) if rng.random() < customers.shuffled else page)[:PAGE]
        grades = self.grades[query][page]
        examined = rng.random(len(page)) < self.examination[: len(page)]
        clicked = examined & (rng.random(len(page)) < CLICK[grades])
        converted = clicked & (rng.random(len(page)) < CONVERT[grades])
        for action, happened in (
            ("impression", np.full(len(page), True)),
            ("click", clicked),
            ("add_to_cart", converted),
        ):
            for rank in np.flatnonzero(happened).tolist():
                yield self._event(query, typed, page[rank], user, action, rank + 1, time, examined=bool(examined[rank]))
        if converted.any():
            yield from self._after_conversion(query, typed, int(rng.choice(page[converted])), user, time)

    def _after_conversion(self, query: int, typed: str, product: int, user: str, time: str) -> Iterator[SimulatedEvent]:
        """Under the results there may be a row of what is often bought with the product; and maybe one takes more."""
        rng, customers = self.rng, self.customers
        row = [self._from_a_basket_with(product) for _ in range(ROW)] if rng.random() < customers.with_row else []
        for rank, offered in enumerate(row):
            yield self._event(query, typed, offered, user, "impression", PAGE + 1 + rank, time, "basket")
        if rng.random() < customers.basket_noise:
            also, position = (row[0], PAGE + 1) if row else (self._from_a_basket_with(product), None)
            yield self._event(query, typed, also, user, "add_to_cart", position, time, "basket")

    def _from_a_basket_with(self, product: int) -> int:
        """Something else of a real basket that has the product, or of any, if it is always bought alone."""
        baskets = self.baskets_with.get(product) or range(len(self.shop.baskets))
        basket = self.shop.baskets[self.rng.choice(baskets)]
        return int(self.rng.choice([place for place in basket if place != product]))

    def _disturbances(self) -> dict[int, list[tuple[str, int, int]]]:
        """What the bot and the users with a habit do: {session after which: [(user, query, product)]}."""
        rng, customers = self.rng, self.customers
        answered = [query for query, found in enumerate(self.results) if len(found)]
        found = defaultdict(list)
        for session in rng.integers(customers.sessions, size=customers.bot).tolist():
            query = int(rng.choice(answered))
            found[session].append(("bot", query, int(rng.choice(self.results[query]))))
        for number in range(customers.habits):
            query, product = int(rng.choice(answered)), int(rng.integers(len(self.shop.products)))
            for session in rng.integers(customers.sessions, size=HABIT).tolist():
                found[session].append((f"habit{number}", query, product))
        return found

    def _event(
        self,
        query: int,
        typed: str,
        product: int,
        user: str,
        action: str,
        position: int | None,
        time: str,
        noise: str = "",
        examined: bool = True,
    ) -> SimulatedEvent:
        event = Event(typed, self.shop.products[product].id, user, action, position, time)
        text = self.queries.texts[query]
        return SimulatedEvent(event, text, int(self.grades[query][product]), noise, examined)
