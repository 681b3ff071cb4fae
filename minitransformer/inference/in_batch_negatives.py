"""In-batch negatives: each text of a batch against the second texts of all the others, and how much each counts.

The second text of pair i is right for its first, and those of the other pairs are taken as wrong, unless they are equal
to a right one. The wrong ones can all count alike, or by how similar they are (ops/negative_weights.py).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.batches.sentence_examples import text_ids_of
from minitransformer.errors import UserError
from minitransformer.models.two_towers import TwoTowers
from minitransformer.ops.negative_weights import negative_weights_forward
from minitransformer.ops.ranking_loss import right_answers
from minitransformer.ops.similarity import similarity_matrix


class InBatchNegatives(NamedTuple):
    """Of S pairs: similarities (S, S), which of them are wrong, and the weights of these, 0 elsewhere, (S, S) each."""

    firsts: Sequence[str]
    seconds: Sequence[str]
    similarities: np.ndarray
    negatives: np.ndarray
    weights: np.ndarray


def in_batch_negatives(
    towers: TwoTowers, firsts: Sequence[str], seconds: Sequence[str], kind: str, temperature: float
) -> InBatchNegatives:
    """The batch of these pairs, by towers that were trained together, or by one encoder as both.

    `kind` is one of WEIGHTS in ops/negative_weights.py. Raises UserError if nothing of the batch is wrong for anything.
    """
    queries, products = towers.query.encode(firsts), towers.product.encode(seconds)
    similarities = similarity_matrix(queries, products, towers.query.settings.similarity)
    negatives = ~right_answers(*text_ids_of([firsts, seconds])) & ~np.eye(len(firsts), dtype=bool)
    if not negatives.any():
        raise UserError("all texts of the batch belong together, so that none is wrong for another; choose other pairs")
    weights, _ = negative_weights_forward(similarities, negatives, kind, temperature)
    return InBatchNegatives(firsts, seconds, similarities, negatives, weights)
