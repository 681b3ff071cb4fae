"""Product2Vec: a vector for each product, learnt from baskets alone. Skip-gram, with products for words.

    python -m scripts.experiments.product2vec ../shared/data "Navel Oranges" "Organic Whole Milk"

prints the products that are nearest to some. Of each basket every product should tell its neighbours from products
drawn at random (Mikolov et al. 2013, arXiv 1310.4546; for baskets Barkan, Koenigstein 2016, arXiv 1603.04259, with no
window, since a basket has no order that matters). It knows what goes together, and nothing of names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from minitransformer.batches.epochs import Epochs
from minitransformer.ops.embedding import embedding_backward, embedding_forward
from minitransformer.ops.negative_sampling import negative_sampling_backward, negative_sampling_forward
from minitransformer.ops.normalise import normalise_forward
from minitransformer.randomness import generator
from scripts.experiments.simulated_log import MIN_PURCHASES, NO_FOOD
from scripts.experiments.simulation.products import read_shop

SIZE, NEGATIVES, NEIGHBOURS = 32, 5, 4  # numbers of a vector; negatives, and neighbours of each product of a basket
EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 1024, 0.2
SMOOTHING = 0.75  # negatives are drawn by purchases to this power, as in the paper


class Table:
    """A vector for each product, moved by Adagrad: the more a row has moved, the less a gradient moves it.

    Only the rows that a step looks up change (Duchi et al. 2011), so a rare product costs and loses nothing meanwhile.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values.astype(np.float32)
        self.squares = np.full(len(values), 1e-8, np.float32)  # summed over the steps, the mean of each row's gradient

    def step(self, dy: np.ndarray, ids: np.ndarray) -> None:
        """One step by the gradient dy (N, E) of the rows ids (N,)."""
        rows, gradients = embedding_backward(dy, embedding_forward(self.values, ids)[1])
        self.squares[rows] += (gradients * gradients).mean(axis=1)
        self.values[rows] -= LEARNING_RATE * gradients / np.sqrt(self.squares[rows])[:, None]


def train_product_vectors(
    baskets: Sequence[Sequence[int]], num_products: int, seed: int = 0, epochs: int = EPOCHS
) -> np.ndarray:
    """(num_products, SIZE): the sum of a product's two vectors, as itself and as a neighbour of others."""
    start = generator(seed, "product vectors").uniform(-0.5, 0.5, (num_products, SIZE)) / SIZE
    own, as_neighbour = Table(start), Table(np.zeros_like(start))
    frequencies = np.bincount([place for basket in baskets for place in basket], minlength=num_products) ** SMOOTHING
    ladder = np.cumsum(frequencies) / frequencies.sum()
    for epoch in range(epochs):
        rng = generator(seed, "neighbours", epoch)
        pairs = draw_pairs(baskets, rng)
        batches = Epochs(len(pairs), BATCH_SIZE, seed)
        for step in range(batches.steps_per_epoch):
            products, neighbours = pairs[batches.examples(step)].T
            negatives = np.searchsorted(ladder, rng.random(len(products) * NEGATIVES))
            vectors = own.values[products], as_neighbour.values[neighbours]
            others = as_neighbour.values[negatives].reshape(-1, NEGATIVES, SIZE)
            losses, cache = negative_sampling_forward(*vectors, others)
            dv, du, d_others = negative_sampling_backward(np.ones_like(losses), cache)
            own.step(dv, products)
            as_neighbour.step(np.concatenate([du, d_others.reshape(-1, SIZE)]), np.concatenate([neighbours, negatives]))
    return own.values + as_neighbour.values


def draw_pairs(baskets: Sequence[Sequence[int]], rng: np.random.Generator) -> np.ndarray:
    """(n, 2) each product of each basket with NEIGHBOURS others of it, drawn at random."""
    pairs = []
    for basket in baskets:
        places = np.repeat(np.arange(len(basket)), NEIGHBOURS)
        steps = rng.integers(1, len(basket), size=len(places))  # from 1 on: never the product itself
        products = np.asarray(basket)
        pairs.append(np.stack([products[places], products[(places + steps) % len(basket)]], axis=1))
    return np.concatenate(pairs)


@click.command()
@click.argument("data")
@click.argument("names", nargs=-1, required=True)
def main(data: str, names: tuple[str, ...]) -> None:
    """Print the nearest products of those with these NAMES, from the tables in DATA."""
    shop = read_shop(Path(data) / "grocery_instacart", MIN_PURCHASES, NO_FOOD)
    vectors = normalise_forward(train_product_vectors(shop.baskets, len(shop.products)))[0]
    places = {product.name: place for place, product in enumerate(shop.products)}
    for name in names:
        cosines = vectors @ vectors[places[name]]
        print(
            f"{name}:", *(f"  {cosines[i]:.2f}  {shop.products[i].name}" for i in np.argsort(-cosines)[1:8]), sep="\n"
        )


if __name__ == "__main__":
    main()
