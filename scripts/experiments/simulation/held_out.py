"""What towers are trained on and measured by: a simulated log without some queries, and the truth about those."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from minitransformer.evaluation.encode import Encode
from minitransformer.evaluation.search import dcg
from minitransformer.ops.normalise import normalise_forward
from minitransformer.search.evidence import Pair
from minitransformer.search.positives import Selection, select_positives
from scripts.experiments.product2vec import train_product_vectors
from scripts.experiments.simulated_log import World
from scripts.experiments.simulation.products import RIGHT, Intent, Shop, singulars
from scripts.experiments.simulation.results import OldSearch
from scripts.experiments.simulation.sessions import SimulatedEvent

TOP = 20
HELD_OUT = range(20, 40)  # of 100; epochs, batch size and learning rate were chosen with 0 to 19 held out

Scores = tuple[float, float]  # recall@TOP and NDCG@TOP, means over the held-out queries


class Experiment:
    """A log without the held-out queries, what is right for those, and the embeddings of all texts.

    positives     for each selection (n, 2) numbers of a query and of its product
    known         (queries, products) which pairs the log knows as converted: they are no negatives
    held_out      queries that aren't in the log
    grades        (held out, products)
    """

    def __init__(
        self, world: World, log: Sequence[SimulatedEvent], selections: Mapping[str, Selection], encode: Encode
    ) -> None:
        self.shop = world.shop
        intents = dict(zip(world.queries.texts, world.queries.intents, strict=True))
        events = [simulated.event for simulated in log if not is_held_out(intents[simulated.text])]
        self.held_out = [text for text, intent in intents.items() if is_held_out(intent)]
        self.grades = np.stack([self.shop.grades(intents[text]) for text in self.held_out])
        every_pair = select_positives(events, self.shop.products).pairs
        queries = [*dict.fromkeys(pair.query for pair in every_pair)]
        self.positives = {
            name: self._numbers(select_positives(events, self.shop.products, selection).pairs, queries)
            for name, selection in selections.items()
        }
        self.known = np.zeros((len(queries), len(self.shop.products)), bool)
        self.known[tuple(self._numbers(every_pair, queries).T)] = True
        self.queries, self.products, self.held_out_embeddings = (
            encode(texts) for texts in (queries, [product.name for product in self.shop.products], self.held_out)
        )

    def _numbers(self, pairs: Sequence[Pair], queries: Sequence[str]) -> np.ndarray:
        place_of_query = {query: place for place, query in enumerate(queries)}
        place_of_product = {product.id: place for place, product in enumerate(self.shop.products)}
        return np.array([(place_of_query[query], place_of_product[product]) for query, product in pairs])

    def score(self, ranking: np.ndarray) -> Scores:
        """recall@TOP, of as many right products as TOP can hold, and NDCG@TOP with the grades as gains."""
        grades = np.take_along_axis(self.grades, ranking, axis=1)
        possible = np.minimum((self.grades >= RIGHT).sum(axis=1), TOP)
        recall = (grades >= RIGHT).sum(axis=1) / possible
        ideal = -np.sort(-self.grades, axis=1)[:, :TOP]
        ndcg = [dcg(gains) / dcg(best) for gains, best in zip(grades, ideal, strict=True)]
        return float(recall.mean()), float(np.mean(ndcg))


def is_held_out(intent: Intent) -> bool:
    """A share of what people look for, the same for every seed."""
    return zlib.crc32(repr(intent).encode()) % 100 in HELD_OUT


def best_by_cosine(queries: np.ndarray, products: np.ndarray) -> np.ndarray:
    cosines = normalise_forward(queries)[0] @ normalise_forward(products)[0].T
    return np.argsort(-cosines, axis=1, kind="stable")[:, :TOP]


def baselines(experiment: Experiment, seed: int) -> dict[str, np.ndarray]:
    """Rankings that need no log."""
    rng = np.random.default_rng(seed)
    shop, texts = experiment.shop, experiment.held_out
    vectors = normalise_forward(train_product_vectors(shop.baskets, len(shop.products), seed))[0]
    search = OldSearch(shop)
    filled = [[*dict.fromkeys((*search.find(text, 0.0), *rng.permutation(len(shop.products))))][:TOP] for text in texts]
    return {
        "random": np.stack([rng.permutation(len(shop.products))[:TOP] for _ in texts]),
        "Product2Vec": best_by_cosine(query_vectors(texts, shop, vectors), vectors),
        "BM25": np.array(filled),
        "all-MiniLM-L6-v2 as it is": best_by_cosine(experiment.held_out_embeddings, experiment.products),
    }


def query_vectors(texts: Sequence[str], shop: Shop, vectors: np.ndarray) -> np.ndarray:
    """(queries, E) from the products' vectors: the mean over a query's words of the means of the products with them."""
    words = {word for text in texts for word in singulars(text)}
    having = {word: [place for place, names in enumerate(shop.words) if word in names] for word in words}
    of_word = {word: vectors[places].mean(axis=0) for word, places in having.items() if places}
    nothing = np.zeros_like(vectors[0])
    return np.stack([sum((of_word.get(word, nothing) for word in singulars(text)), nothing) for text in texts])
