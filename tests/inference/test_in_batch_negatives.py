import numpy as np
import pytest

from minitransformer.inference.in_batch_negatives import equal_weights, weights_by_hardness

SCORES = np.array([[0.9, 0.5, 0.1], [0.0, 0.8, 0.0], [-1.0, 1.0, 0.2]])


def test_equal_weights_are_shared_by_all_others():
    np.testing.assert_array_equal(equal_weights(3), [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def test_the_harder_counts_more_by_the_ratio_of_the_exponentials():
    weights = weights_by_hardness(SCORES, 0.5)
    assert weights.diagonal().tolist() == [0, 0, 0]
    assert weights.sum(axis=1) == pytest.approx([1, 1, 1])
    assert weights[0, 1] / weights[0, 2] == pytest.approx(np.exp((0.5 - 0.1) / 0.5))
    assert weights[1].tolist() == pytest.approx([0.5, 0, 0.5])


def test_the_temperature_goes_from_all_alike_to_the_hardest_alone():
    np.testing.assert_allclose(weights_by_hardness(SCORES, 1e6), equal_weights(3), atol=1e-5)
    assert weights_by_hardness(SCORES, 1e-3)[2] == pytest.approx([0, 1, 0])
