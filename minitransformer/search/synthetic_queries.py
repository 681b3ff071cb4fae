"""Queries that nobody typed, made from what a product's own data say.

A log knows little of products that are new or rarely bought. Their brand, category and attributes, alone or two
together, are queries to which they are a right answer: "GreenWise Milk", "Organic", "GreenWise" (Xie et al. 2022,
arXiv 2209.05555, section 3). Such queries are simpler than real ones, so their share should stay small.
"""

from collections.abc import Sequence
from itertools import permutations

from minitransformer.errors import UserError
from minitransformer.randomness import generator
from minitransformer.search.evidence import Pair
from minitransformer.search.product_table import Product
from minitransformer.search.terms import normalise_text


def synthetic_pairs(
    products: Sequence[Product], columns: Sequence[str], share: float, num_others: int, seed: int
) -> list[Pair]:
    """Different pairs, drawn at random, so many that with num_others others they are at most this share of all.

    Raises UserError for a column that no product has.
    """
    for column in columns:
        if not any(column in product.fields for product in products):
            known = ", ".join(dict.fromkeys(name for product in products for name in product.fields))
            raise UserError(f"no product has the column {column!r} to make queries from; there are: {known[:200]}")
    pairs = [Pair(query, product.id) for product in products for query in queries_of(product, columns)]
    number = min(int(share / (1 - share) * num_others), len(pairs))
    chosen = generator(seed, "synthetic queries").permutation(len(pairs))[:number]
    return [pairs[place] for place in sorted(chosen)]


def queries_of(product: Product, columns: Sequence[str]) -> list[str]:
    """What the columns say, each by itself, and of every two one beside the other. Commas separate several values.

    >>> milk = Product("7", "2% Milk", {"brand": "GreenWise", "category": "Milk", "is": "organic, kosher"})
    >>> queries_of(milk, ["brand", "category"])
    ['greenwise', 'milk', 'greenwise milk', 'milk greenwise']
    >>> len(queries_of(milk, ["brand", "is"]))  # 3 alone; brand and attribute in both orders, two attributes never
    7
    """
    values = {
        column: [text for value in product.fields.get(column, "").split(",") if (text := normalise_text(value))]
        for column in columns
    }
    alone = [text for texts in values.values() for text in texts]
    together = [
        f"{first} {second}"
        for one, other in permutations(values, 2)
        for first in values[one]
        for second in values[other]
    ]
    return list(dict.fromkeys(alone + together))
