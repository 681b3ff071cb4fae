from typing import NamedTuple

import numpy as np
import pytest

from minitransformer.evaluation.towers import HeldOut, evaluate_towers
from minitransformer.models.sentence_encoder_settings import SentenceEncoderSettings


class Tower(NamedTuple):
    """Embeddings of texts that are known beforehand."""

    embeddings: dict
    settings: SentenceEncoderSettings

    def encode(self, texts, truncation):
        return np.array([self.embeddings[text] for text in texts], float)


class Towers(NamedTuple):
    query: Tower
    product: Tower


def towers(queries, products, similarity="cosine"):
    settings = SentenceEncoderSettings(similarity=similarity)
    return Towers(Tower(queries, settings), Tower(products, settings))


def test_recall_and_reciprocal_rank_worked_out_by_hand():
    """25 products stand on a quarter of a circle, and product k has the rank k + 1 for the query at its beginning.

    The right ones 3, 19 and 20 have the ranks 4, 20 and 21: recall is 2/3, the reciprocal rank 1/4. For a query at the
    other end product 24 is first: 1 and 1. The means are 5/6 and 5/8.
    """
    angles = np.linspace(0, np.pi / 2, 25)
    products = {str(k): (np.cos(angle), np.sin(angle)) for k, angle in enumerate(angles)}
    held_out = HeldOut(["first", "last"], [*products], [[3, 19, 20], [24]])
    metrics = evaluate_towers(towers({"first": (1, 0), "last": (0, 1)}, products), held_out)
    assert metrics[:2] == pytest.approx((5 / 6, 5 / 8))


def test_embeddings_that_are_all_the_same_find_nothing_before_everything_else():
    products = {str(k): (1, 1) for k in range(40)}
    metrics = evaluate_towers(towers({"query": (1, 1)}, products), HeldOut(["query"], [*products], [[0, 1]]))
    assert metrics[:2] == pytest.approx((0, 1 / 39))
    assert metrics.mean_cosine == pytest.approx(1)


@pytest.mark.parametrize(("similarity", "rank"), [("cosine", 1), ("dot", 2)])
def test_towers_trained_for_dot_products_are_compared_by_them(similarity, rank):
    products = {"near": (1, 0), "long": (2, 2)}
    held_out = HeldOut(["query"], ["near", "long"], [[0]])
    assert evaluate_towers(towers({"query": (1, 0)}, products, similarity), held_out)[1] == 1 / rank
