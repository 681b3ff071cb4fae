"""What a map keeps, held against scikit-learn's PCA and trustworthiness."""

import numpy as np
import pytest

from minitransformer.evaluation.embedding_map import embedding_map

manifold = pytest.importorskip("sklearn.manifold")
decomposition = pytest.importorskip("sklearn.decomposition")


def test_the_map_is_scikit_learns():
    x = np.random.default_rng(0).normal(size=(60, 9)) * np.arange(1, 10)
    pca = decomposition.PCA(2, svd_solver="full")
    theirs, map_ = pca.fit_transform(x), embedding_map(x)
    np.testing.assert_allclose(np.abs(map_.places), np.abs(theirs), rtol=1e-9)
    assert map_.shown == pytest.approx(pca.explained_variance_ratio_.sum())
    assert map_.trustworthiness == pytest.approx(manifold.trustworthiness(x, theirs, n_neighbors=10))
