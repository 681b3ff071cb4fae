import numpy as np
import pytest

from minitransformer.evaluation.embedding_map import embedding_map


def test_points_of_a_plane_are_shown_whole():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(30, 2)) @ np.linalg.qr(rng.normal(size=(7, 2)))[0].T + rng.normal(size=7)
    map_ = embedding_map(plane, 5)
    assert (map_.shown, map_.kept, map_.trustworthiness) == pytest.approx((1, 1, 1))


def test_the_nearest_come_first_and_few_texts_have_no_trustworthiness():
    x = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0.1, 0], [9, 0, 0.01]])
    map_ = embedding_map(x, 2)
    assert {*map_.neighbours[1]} == {0, 2}
    assert map_.neighbours[3].tolist() == [2, 1]
    assert np.isnan(embedding_map(x, 3).trustworthiness)


def test_the_shares_are_those_of_a_slow_count():
    rng = np.random.default_rng(1)
    x, k = rng.normal(size=(25, 6)), 4
    map_ = embedding_map(x, k)

    def order(points, i):
        distances = np.linalg.norm(points - points[i], axis=1)
        return [j for j in np.argsort(distances) if j != i]

    kept, penalty = 0, 0
    for i in range(25):
        true, shown = order(x, i), order(map_.places, i)[:k]
        kept += len({*true[:k]} & {*shown})
        penalty += sum(true.index(j) + 1 - k for j in shown if j not in true[:k])
        assert map_.neighbours[i].tolist() == true[:k]
    assert map_.kept == pytest.approx(kept / (25 * k))
    assert map_.trustworthiness == pytest.approx(1 - 2 * penalty / (25 * k * (50 - 3 * k - 1)))
    variances = np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    assert map_.shown == pytest.approx(variances[:2].sum() / variances.sum())


def test_equal_embeddings_are_one_place():
    map_ = embedding_map(np.ones((4, 3)), 2)
    assert not map_.places.any()
    assert map_.shown == 1
