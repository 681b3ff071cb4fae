import math

import numpy as np

from minitransformer.evaluation.embedding_health import effective_rank, embedding_health


def test_the_mean_cosine_is_that_of_all_pairs():
    embeddings = np.random.default_rng(1).normal(size=(6, 4)) + 1
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosines = [unit[i] @ unit[j] for i in range(6) for j in range(6) if i != j]
    np.testing.assert_allclose(embedding_health(embeddings).mean_cosine, np.mean(cosines), rtol=1e-12)


def test_orthogonal_embeddings_use_all_dimensions():
    health = embedding_health(np.diag([1.0, 5, 0.1]))
    np.testing.assert_allclose(health.mean_cosine, 0, atol=1e-15)
    np.testing.assert_allclose(health.effective_rank, 3)
    assert health.size == 3


def test_collapsed_embeddings_use_one():
    """All the same up to their lengths, in float32."""
    health = embedding_health(np.outer([1, 2, 3, 4], np.ones(50)).astype(np.float32))
    np.testing.assert_allclose(health.mean_cosine, 1)
    np.testing.assert_allclose(health.effective_rank, 1, rtol=1e-4)


def test_the_effective_rank_is_the_exponential_of_the_singular_values_entropy():
    """Singular values 3 and 1, shares 3/4 and 1/4: exp(-(3/4 log 3/4 + 1/4 log 1/4)) = 4 / 3^(3/4)."""
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    x = rotation[:, :2] @ np.diag([3.0, 1]) @ rotation[:2]
    np.testing.assert_allclose(effective_rank(x), 4 / 3**0.75, rtol=1e-6)
    np.testing.assert_allclose(effective_rank(x.T), 4 / 3**0.75, rtol=1e-6)


def test_one_embedding_has_no_pairs_and_zeros_have_no_direction():
    assert math.isnan(embedding_health(np.ones((1, 3))).mean_cosine)
    assert embedding_health(np.zeros((2, 3))).mean_cosine == 0
