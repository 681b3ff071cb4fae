import numpy as np
import pytest

from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay, linear_warm_up_and_inverse_root


def test_the_two_lines_meet_at_1():
    factors = [linear_warm_up_and_decay(step, 30, 100) for step in range(101)]
    assert factors[0] == 0
    assert factors[30] == max(factors) == 1
    assert factors[100] == 0
    np.testing.assert_allclose(np.diff(factors)[:30], 1 / 30)
    np.testing.assert_allclose(np.diff(factors)[30:], -1 / 70)


def test_without_warm_up_it_starts_at_the_peak():
    assert linear_warm_up_and_decay(0, 0, 10) == 1


@pytest.mark.parametrize(("warm_up", "total"), [(0, 0), (5, 5), (1, 1)])
def test_a_run_that_is_all_warm_up_or_empty_has_a_factor(warm_up, total):
    assert 0 <= linear_warm_up_and_decay(total, warm_up, total) <= 1


def test_with_the_peak_of_the_paper_it_is_the_papers_rate():
    """Vaswani et al. 2017, equation 3, for the base model: H 512, 4,000 steps of warm-up, a peak of 6.99e-4."""
    peak = (512 * 4000) ** -0.5
    assert peak == pytest.approx(6.99e-4, rel=1e-3)
    for n in (1, 100, 4000, 4001, 100_000):
        expected = 512**-0.5 * min(n**-0.5, n * 4000**-1.5)
        assert peak * linear_warm_up_and_inverse_root(n - 1, 4000, 10**9) == pytest.approx(expected)


def test_without_warm_up_it_falls_from_the_peak():
    assert [linear_warm_up_and_inverse_root(step, 0, 5) for step in (0, 3)] == [1, 0.5]
