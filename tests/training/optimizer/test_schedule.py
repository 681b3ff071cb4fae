import numpy as np
import pytest

from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay


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
