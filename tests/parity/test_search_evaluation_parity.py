"""Measures of search against trec_eval's, by way of pytrec_eval."""

import numpy as np
import pytest

from minitransformer.evaluation.search import score_rankings

pytrec_eval = pytest.importorskip("pytrec_eval", reason="needs pytrec-eval-terrier, of the extra `parity`")

MEASURES = {"ndcg_cut.10": "ndcg", "recall.100": "recall", "recip_rank": "reciprocal_rank", "map": "average_precision"}


@pytest.mark.parametrize("right_from", [1, 2])
def test_every_measure_of_every_query_is_that_of_trec_eval(right_from):
    rng = np.random.default_rng(0)
    products = [f"p{number}" for number in range(400)]
    judgments, rankings = {}, {}
    for number in range(50):
        judged = rng.choice(products, rng.integers(1, 150), replace=False)
        judgments[f"q{number}"] = {
            product: int(gain) for product, gain in zip(judged, rng.choice([0, 0, 1, 2, 100], len(judged)), strict=True)
        }
        rankings[f"q{number}"] = rng.choice(products, rng.integers(1, 200), replace=False).tolist()
    runs = {query: {product: -float(rank) for rank, product in enumerate(found)} for query, found in rankings.items()}
    evaluator = pytrec_eval.RelevanceEvaluator(judgments, {*MEASURES}, relevance_level=right_from)
    theirs = evaluator.evaluate(runs)
    ours = score_rankings(rankings, judgments, right_from)
    for measure, name in MEASURES.items():
        expected = [theirs[query][measure.replace(".", "_")] for query in judgments]
        np.testing.assert_allclose(getattr(ours, name), expected, atol=1e-12, err_msg=name)
