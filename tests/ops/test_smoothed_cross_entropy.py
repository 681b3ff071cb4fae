import math

import numpy as np
import pytest

from minitransformer.ops.cross_entropy import cross_entropy_forward
from minitransformer.ops.smoothed_cross_entropy import smoothed_cross_entropy_backward, smoothed_cross_entropy_forward


def test_a_worked_example():
    """logits (ln 1, ln 2, ln 5), so p = (1/8, 1/4, 5/8); the label is 2 and e = 0.3, so q = (0.1, 0.1, 0.8).

    loss = -0.1 ln(1/8) - 0.1 ln(1/4) - 0.8 ln(5/8) = 0.7226, and plain -ln(5/8) = 0.4700
    dlogits = p - q = (0.025, 0.15, -0.175)
    """
    logits = np.log([[1.0, 2.0, 5.0]])
    losses, cache = smoothed_cross_entropy_forward(logits, np.array([2]), 0.3)
    assert losses == pytest.approx([0.1 * math.log(8) + 0.1 * math.log(4) + 0.8 * math.log(8 / 5)])
    assert cache.plain_losses == pytest.approx([math.log(8 / 5)])
    np.testing.assert_allclose(smoothed_cross_entropy_backward(np.ones(1), cache), [[0.025, 0.15, -0.175]])


def test_without_smoothing_it_is_the_cross_entropy():
    logits, labels = np.random.default_rng(1).normal(size=(4, 6)), np.array([5, 0, 3, 3])
    np.testing.assert_array_equal(
        smoothed_cross_entropy_forward(logits, labels, 0.0)[0], cross_entropy_forward(logits, labels)[0]
    )


def test_the_best_loss_is_the_entropy_of_what_is_asked_for():
    """At e = 0.1 and V = 65 that is 0.731 nats: no model gets below it."""
    q = np.full((1, 65), 0.1 / 65)
    q[0, 7] += 0.9
    losses, cache = smoothed_cross_entropy_forward(np.log(q), np.array([7]), 0.1)
    assert losses[0] == pytest.approx(-(q * np.log(q)).sum()) == pytest.approx(0.731, abs=5e-4)
    np.testing.assert_allclose(smoothed_cross_entropy_backward(np.ones(1), cache), 0, atol=1e-15)


def test_huge_logits_are_no_trouble():
    losses, _ = smoothed_cross_entropy_forward(np.array([[1e4, 0, 0, 0]], np.float32), np.array([0]), 0.1)
    assert losses == pytest.approx([750], rel=1e-5)
