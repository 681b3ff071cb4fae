"""Semantic textual similarity: do the cosines of sentence pairs stand in the order in which people scored them?

Spearman's correlation of cosine and score is the measure of the field; it asks for the order only. No regression is
fitted (Reimers, Gurevych 2019, arXiv 1908.10084, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.evaluation.correlation import is_constant, pearson, spearman
from minitransformer.evaluation.embedding_health import EmbeddingHealth, embedding_health
from minitransformer.evaluation.encode import Encode
from minitransformer.ops.cosine_similarity import cosine_similarity_forward


class StsScores(NamedTuple):
    """Correlations times 100, as the papers print them; nan if all cosines are equal (see the health)."""

    spearman: float
    pearson: float
    pairs: int
    health: EmbeddingHealth


def evaluate_sts(encode: Encode, first: Sequence[str], second: Sequence[str], scores: Sequence[float]) -> StsScores:
    """How well the cosines of first[i] and second[i] follow scores[i], given in any unit.

    Raises UserError if all scores are equal: there is no order to find.
    """
    gold = np.asarray(scores, float)
    if is_constant(gold):
        raise UserError(f"all {len(gold)} pairs have the same score; a correlation needs pairs of different scores")
    embeddings = encode([*first, *second])
    cosines, _ = cosine_similarity_forward(*np.split(embeddings, 2))
    return StsScores(
        spearman=100 * spearman(cosines, gold),
        pearson=100 * pearson(cosines, gold),
        pairs=len(gold),
        health=embedding_health(embeddings),
    )
