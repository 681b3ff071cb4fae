import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from minitransformer.evaluation.correlation import pearson, spearman

few_values = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=20)


def test_ties_share_the_mean_of_their_ranks():
    """x has the ranks 1, 2.5, 2.5, 4 and y 1, 2, 3, 4: deviations (-1.5, 0, 0, 1.5) and (-1.5, -.5, .5, 1.5), so

    r = 4.5 / sqrt(4.5 * 5)
    """
    assert math.isclose(spearman(np.array([10, 20, 20, 30]), np.array([1, 2, 3, 4])), 4.5 / math.sqrt(4.5 * 5))


@given(few_values)
def test_the_order_of_the_data_plays_no_part_and_scipy_agrees(values):
    x, y = np.array(values, float).T
    for correlation, scipys in ((spearman, spearmanr), (pearson, pearsonr)):
        found = correlation(x, y)
        np.testing.assert_allclose(correlation(x[::-1], y[::-1]), found, atol=1e-12, equal_nan=True)
        if not math.isnan(found):
            np.testing.assert_allclose(found, scipys(x, y).statistic, atol=1e-12)


def test_any_rising_curve_is_a_spearman_of_1_but_only_a_line_is_a_pearson_of_1():
    x = np.arange(1.0, 6)
    assert math.isclose(spearman(x, np.exp(x)), 1)
    assert pearson(x, np.exp(x)) < 0.9
    assert math.isclose(pearson(x, 3 - 2 * x), -1)


def test_a_constant_has_no_correlation():
    for x, y in ((np.ones(3), np.arange(3)), (np.arange(3), np.ones(3)), (np.zeros(0), np.zeros(0))):
        assert math.isnan(pearson(x, y))
        assert math.isnan(spearman(x, y))
