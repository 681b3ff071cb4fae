"""Semantic textual similarity: do the cosines of sentence pairs have the order that people's scores give them?

The usual measure is Spearman's correlation of cosine and score, for which only the order counts. No regression is
fitted (Reimers, Gurevych 2019, arXiv 1908.10084, section 4).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from minitransformer.errors import UserError
from minitransformer.evaluation.correlation import is_constant, pearson, spearman
from minitransformer.evaluation.embedding_health import EmbeddingHealth, embedding_health
from minitransformer.evaluation.encode import Encode
from minitransformer.formatting import format_table, in_digits
from minitransformer.ops.cosine_similarity import cosine_similarity_forward


class StsScores(NamedTuple):
    """Correlations times 100, as papers print them; nan if all cosines are equal."""

    spearman: float
    pearson: float
    pairs: int
    health: EmbeddingHealth


def evaluate_sts(encode: Encode, first: Sequence[str], second: Sequence[str], scores: ArrayLike) -> StsScores:
    """How well the cosines of first[i] and second[i] follow scores[i], on whatever scale these are.

    Raises UserError if all scores are equal, since there is no order to find.
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


def sts_report(results: Sequence[tuple[str, StsScores]]) -> str:
    """A table with a line for each data set, given by its name and its scores.

    >>> print(sts_report([("dev.tsv", StsScores(86.371, 86.804, 1500, EmbeddingHealth(0.045, 301.26, 384)))]))
    Spearman  Pearson  pairs
       86.37    86.80  1,500  dev.tsv: mean cosine 0.045, effective rank 301.3 of 384
    """
    rows = [["Spearman", "Pearson", "pairs"]]
    for name, scores in results:
        collapsed = "; all cosines are equal: the embeddings have collapsed" if np.isnan(scores.spearman) else ""
        numbers = [in_digits(scores.spearman, 2), in_digits(scores.pearson, 2), f"{scores.pairs:,}"]
        rows.append([*numbers, f"{name}: {scores.health}{collapsed}"])
    return format_table(rows)
