"""A SIMULATED search log: the customers, their searches and clicks are made up; what they are made of is real.

    python -m scripts.experiments.simulated_log ../shared/data --out log.tsv

Product names, baskets and popularity are Instacart's (2017), further popularity that of recipe ingredients (Yummly),
some queries and all misspellings are what people once typed (ESCI; Birkbeck, codespell), and how far down a page they
look is fitted on real clicks (Yandex). Relevance is by rule (simulation/products.py), and how likely a result that is
looked at is clicked and bought is assumed. Beside the columns of a log there are three that no shop has:
simulated_grade, simulated_noise and simulated_examined.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from scripts.experiments.simulation.examination import fit_examination, read_pages
from scripts.experiments.simulation.products import ProductType, Shop, read_shop
from scripts.experiments.simulation.queries import Queries, Spelling, queries_of_shop, read_columns
from scripts.experiments.simulation.sessions import Customers, SimulatedEvent, simulate
from scripts.pages import table

MIN_PURCHASES = 4
CUSTOMERS = Customers()
NO_FOOD = ("household", "personal care", "pets", "missing", "other", "alcohol", "babies")
HEADER = [
    "query",
    "product_id",
    "user",
    "action",
    "position",
    "time",
    "simulated_grade",
    "simulated_noise",
    "simulated_examined",
]


class World(NamedTuple):
    """What the simulation is made of."""

    shop: Shop
    queries: Queries
    spelling: Spelling
    examination: np.ndarray

    def log(self, seed: int, customers: Customers | None = None) -> list[SimulatedEvent]:
        return simulate(*self, customers or CUSTOMERS, seed)


def read_world(data: Path, min_purchases: int | None = None) -> World:
    """The world made of the real data in a folder."""
    shop = read_shop(data / "grocery_instacart", min_purchases or MIN_PURCHASES, NO_FOOD)
    ingredients = {name: int(count) for name, count in read_columns(data / "grocery_recipes/ingredients.open.tsv")}
    typed_elsewhere = [query for query, _ in read_columns(data / "queries_esci/queries.open.tsv")]
    misspellings = [
        *read_columns(data / "spelling/codespell_grocery.tsv"),
        *read_columns(data / "spelling/birkbeck.open.tsv"),
    ]
    examination = fit_examination(*read_pages(data / "clicks_yandex/sessions.tsv"))
    return World(shop, queries_of_shop(shop, ingredients, typed_elsewhere), Spelling(misspellings), examination)


@click.command()
@click.argument("data")
@click.option("--out", help="Where the log goes (TSV).")
@click.option("--seed", default=0, show_default=True)
def main(data: str, out: str | None, seed: int) -> None:
    """Simulate a shop's search log from the real tables in DATA, and say what is in it."""
    world = read_world(Path(data))
    log = world.log(seed)
    if out:
        write_log(Path(out), log)
    print(describe(world, log))


def write_log(file: Path, log: list[SimulatedEvent]) -> None:
    """The log as a table, with the columns that only a simulation has."""
    lines = ["\t".join(HEADER)]
    for event, _, grade, noise, examined in log:
        position = event.position or ""
        fields = (event.query, event.product_id, event.user, event.action, position, event.time, grade, noise, examined)
        lines.append("\t".join(map(str, fields)))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe(world: World, log: list[SimulatedEvent]) -> str:
    """Numbers to hold against real ones."""
    actions = Counter(simulated.event.action for simulated in log)
    converted = [simulated for simulated in log if simulated.event.action == "add_to_cart"]
    noise = Counter(simulated.noise for simulated in converted if simulated.noise)
    wrong = sum(simulated.grade <= 1 for simulated in converted)
    rows = [
        ["products, queries", f"{len(world.shop.products):,}, {len(world.queries.texts):,}"],
        [
            "impressions, clicks, conversions",
            ", ".join(f"{actions[name]:,}" for name in ("impression", "click", "add_to_cart")),
        ],
        [
            "conversions that are noise",
            ", ".join(f"{name} {count / len(converted):.1%}" for name, count in noise.most_common()),
        ],
        ["conversions of a wrong product (grade 0 or 1)", f"{wrong / len(converted):.1%}"],
        [
            "searches of the 100 and 1,000 most frequent queries",
            ", ".join(f"{share_of_top(world.queries, n):.0%}" for n in (100, 1000)),
        ],
        ["looked at, by rank", " ".join(f"{share:.2f}" for share in world.examination)],
    ]
    after_orange = 'Simulated conversions after "orange" and "oranges":'
    return "\n\n".join(
        [basket_table(world.shop), table(["simulated", ""], rows), after_orange, orange_table(world, log)]
    )


def basket_table(shop: Shop, number: int = 8) -> str:
    """What is in the real baskets with an orange, and how much more often than in others."""
    is_orange = np.array([kind == ProductType("orange", "fresh fruits") for kind in shop.types])
    with_orange = [basket for basket in shop.baskets if is_orange[basket].any()]
    counts = np.bincount(np.concatenate(with_orange), minlength=len(shop.products))
    rows = []
    for place in np.argsort(-counts)[:number]:
        share, lift = counts[place] / len(with_orange), counts[place] * len(shop.baskets) / len(with_orange)
        rows.append([shop.products[place].name, f"{share:.1%}", f"{lift / shop.purchases[place]:.1f}"])
    return table([f"in {len(with_orange)} real baskets with an orange", "share", "lift"], rows)


def share_of_top(queries: Queries, number: int) -> float:
    return float(np.sort(queries.probabilities)[::-1][:number].sum())


def orange_table(world: World, log: list[SimulatedEvent], number: int = 15) -> str:
    """The slide's list: what is converted after the searches for oranges."""
    names = {product.id: product.name for product in world.shop.products}
    grades: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for event, text, grade, _, _ in log:
        if event.action == "add_to_cart" and text in ("orange", "oranges"):
            counts[event.product_id] += 1
            grades[event.product_id] = grade
    rows = [[names[product], str(count), str(grades[product])] for product, count in counts.most_common(number)]
    return table(["product", "conversions", "grade"], rows)


if __name__ == "__main__":
    main()
