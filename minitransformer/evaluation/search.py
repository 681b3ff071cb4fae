"""How good search is: are the products that people judged to be right at the top?

People gave products of a query their gains: 0 for a wrong one, the more the better. The products found are ranked
1, 2, ...; those that nobody judged count as wrong, which is unfair to a search that finds what the judges never saw.

    DCG@k     sum of gain / log2(1 + rank) over the first k    (Järvelin, Kekäläinen 2002)
    NDCG@k    DCG@k / that of the judged products in the best order
    recall@k  the share of the right products that are among the first k
    MRR       1 / rank of the first right one
    MAP       the mean, over all right products, of the share of right ones down to its rank; 0 if it isn't found
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.formatting import format_table
from minitransformer.randomness import generator

NDCG_AT, RECALL_AT = 10, 100
SAMPLES = 10_000  # of the bootstrap

Judgments = Mapping[str, Mapping[str, float]]  # query: {product: gain}
Rankings = Mapping[str, Sequence[str]]  # query: products, the best first


class SearchScores(NamedTuple):
    """A number for each query (n,). `unjudged` is the share of the first NDCG_AT that nobody judged."""

    ndcg: np.ndarray
    recall: np.ndarray
    reciprocal_rank: np.ndarray
    average_precision: np.ndarray
    unjudged: np.ndarray


NAMES = (f"NDCG@{NDCG_AT}", f"recall@{RECALL_AT}", "MRR", "MAP", f"unjudged@{NDCG_AT}")  # of the means of SearchScores


def answerable(judgments: Judgments, right_from: float) -> dict[str, Mapping[str, float]]:
    """The queries that have a right product, which are those that can be answered."""
    return {query: gains for query, gains in judgments.items() if max(gains.values()) >= right_from}


def score_rankings(rankings: Rankings, judgments: Judgments, right_from: float = 1e-9) -> SearchScores:
    """The scores of each query that is judged. A product is right if its gain is `right_from` or more."""
    scores = [_score(rankings[query], gains, right_from) for query, gains in judgments.items()]
    return SearchScores(*np.array(scores, float).reshape(-1, len(NAMES)).T)


def _score(found: Sequence[str], gains: Mapping[str, float], right_from: float) -> tuple[float, ...]:
    first = [gains.get(product, 0.0) for product in found[:NDCG_AT]]
    ideal = dcg(sorted(gains.values(), reverse=True)[:NDCG_AT])
    num_right = sum(gain >= right_from for gain in gains.values())
    is_right = np.array([gains.get(product, 0.0) >= right_from for product in found], bool)
    ranks = 1 + np.flatnonzero(is_right)
    return (
        dcg(first) / ideal if ideal else 0.0,
        float(is_right[:RECALL_AT].sum() / num_right) if num_right else 0.0,
        float(1 / ranks[0]) if len(ranks) else 0.0,
        float((np.arange(1, len(ranks) + 1) / ranks).sum() / num_right) if num_right else 0.0,
        float(np.mean([product not in gains for product in found[:NDCG_AT]])) if found else 0.0,
    )


def dcg(gains: Sequence[float]) -> float:
    """
    >>> dcg([3, 0, 2])  # 3 / log2(2) + 0 / log2(3) + 2 / log2(4)
    4.0
    """
    return float((np.asarray(gains, float) / np.log2(2 + np.arange(len(gains)))).sum())


def random_rankings(products: Sequence[str], judgments: Judgments, seed: int = 0) -> dict[str, list[str]]:
    """What chance finds: a search must beat that."""
    rng = generator(seed, "random rankings", 0)
    size = min(RECALL_AT, len(products))
    return {query: [products[i] for i in rng.choice(len(products), size, replace=False)] for query in judgments}


def ideal_rankings(judgments: Judgments) -> dict[str, list[str]]:
    """The judged products in the best order: no search can beat that."""
    return {query: sorted(gains, key=lambda product: -gains[product]) for query, gains in judgments.items()}


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Where the mean of the queries' values (n,) lies in 95 % of samples of as many queries (Efron 1979)."""
    rng = generator(seed, "bootstrap", 0)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(SAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def search_report(results: Mapping[str, SearchScores]) -> str:
    """A table with a line for each search, and how much the first one's NDCG differs from each of the next two's."""
    rows = [["", NAMES[0], "95 %", *NAMES[1:]]]
    for name, scores in results.items():
        means = [f"{values.mean():.3f}" for values in scores]
        rows.append([name, means[0], "{:.3f} to {:.3f}".format(*interval(scores.ndcg)), *means[1:]])
    (best, its_scores), *others = results.items()
    lines = [format_table(rows)]
    for name, scores in others[:2]:
        difference = its_scores.ndcg - scores.ndcg
        low, high = interval(difference)
        lines.append(f"{best} over {name}: {difference.mean():+.3f} ({low:+.3f} to {high:+.3f})")
    return "\n".join(lines)
