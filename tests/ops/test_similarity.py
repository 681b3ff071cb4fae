import numpy as np
import pytest

from minitransformer.ops.similarity import similarity_matrix

A = np.array([[3.0, 4.0], [0.0, 2.0]])
B = np.array([[3.0, 4.0], [-4.0, 3.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        ("cosine", [[1, 0, 0], [0.8, 0.6, 0]]),
        ("dot", [[25, 0, 0], [8, 6, 0]]),
        ("euclidean", [[0, -(50**0.5), -5], [-(13**0.5), -(17**0.5), -2]]),
        ("manhattan", [[0, -8, -7], [-5, -5, -2]]),
    ],
)
def test_each_similarity_of_a_small_example(similarity, expected):
    np.testing.assert_allclose(similarity_matrix(A, B, similarity), expected, atol=1e-12)
    assert similarity_matrix(A.astype(np.float32), B.astype(np.float32), similarity).dtype == np.float32
