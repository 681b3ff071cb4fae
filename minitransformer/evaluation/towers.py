"""How well towers find the products of queries that they weren't trained on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.evaluation.embedding_health import embedding_health
from minitransformer.models.two_towers import TwoTowers
from minitransformer.ops.similarity import similarity_matrix

RECALL_AT = 20


class HeldOut(NamedTuple):
    """Queries, the texts of products, and which of these are right for each query: their places."""

    queries: Sequence[str]
    products: Sequence[str]
    right: Sequence[Sequence[int]]


class TowersMetrics(NamedTuple):
    """Means over the queries, and the health of the products' embeddings, which shows a collapse."""

    recall_at_20: float
    mean_reciprocal_rank: float
    mean_cosine: float
    effective_rank: float


def evaluate_towers(towers: TwoTowers, held_out: HeldOut) -> TowersMetrics:
    """Rank all products for each query. Among equal scores the right products come last."""
    products = towers.product.encode(held_out.products, truncation="silent")
    queries = towers.query.encode(held_out.queries, truncation="silent")
    scores = similarity_matrix(queries, products, towers.query.settings.similarity)
    is_right = np.zeros(scores.shape, bool)
    for row, right in zip(is_right, held_out.right, strict=True):
        row[[*right]] = True
    order = np.lexsort((is_right, -scores))
    in_order = np.take_along_axis(is_right, order, axis=1)
    recall = in_order[:, :RECALL_AT].sum(axis=1) / is_right.sum(axis=1)
    reciprocal_rank = 1 / (1 + in_order.argmax(axis=1))
    health = embedding_health(products)[:2]
    return TowersMetrics(float(recall.mean()), float(reciprocal_rank.mean()), *health)
