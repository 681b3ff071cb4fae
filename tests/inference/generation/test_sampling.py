import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.inference.generation.sampling import NEVER, draw, keep_top_k, keep_top_p, sampling_probabilities


def logs(*probabilities):
    return np.log([probabilities])


def kept(scores):
    return np.flatnonzero(scores[0] > NEVER).tolist()


def test_the_temperature_sharpens_or_flattens():
    """p^(1/T), scaled to add up to 1: at T = 1/2 squares, at T = 2 square roots."""
    scores = logs(0.6, 0.3, 0.1)
    np.testing.assert_allclose(sampling_probabilities(scores, 1), [[0.6, 0.3, 0.1]])
    np.testing.assert_allclose(sampling_probabilities(scores, 0.5), np.array([[36, 9, 1]]) / 46)
    roots = np.sqrt([[0.6, 0.3, 0.1]])
    np.testing.assert_allclose(sampling_probabilities(scores, 2), roots / roots.sum())
    np.testing.assert_allclose(sampling_probabilities(scores, 0.001), [[1, 0, 0]], atol=1e-100)


@pytest.mark.parametrize("temperature", [1e-6, 1e-40, 5e-324])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_however_low_the_temperature_the_best_is_drawn(temperature, dtype):
    logits = np.array([[1, 3, 2], [-800, -900, -850]], dtype)
    np.testing.assert_array_equal(sampling_probabilities(logits, temperature), [[0, 1, 0], [1, 0, 0]])


def test_top_k_keeps_the_k_highest_and_all_that_equal_the_last_of_them():
    assert kept(keep_top_k(np.array([[4.0, 1, 3, 2]]), 2)) == [0, 2]
    assert kept(keep_top_k(np.array([[1.0, 2, 2, 2]]), 2)) == [1, 2, 3]
    assert kept(keep_top_k(np.array([[1.0, 2, 2, 2]]), 9)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.3, [2]), (0.45, [0, 2]), (0.69, [0, 2]), (0.71, [0, 1, 2]), (0.95, [0, 1, 2, 4]), (1, [*range(5)])],
)
def test_top_p_keeps_as_few_as_have_p_together(p, expected):
    assert kept(keep_top_p(logs(0.3, 0.2, 0.4, 0.03, 0.07), p)) == expected


def test_the_best_token_is_kept_however_small_p_is():
    assert kept(keep_top_p(logs(0.1, 0.8, 0.1), 1e-9)) == [1]


def test_the_options_come_one_after_the_other():
    """Temperature 1/2 makes 36, 9 and 1 of 46, top-k 36 and 9 of 45; the first alone then has 0.8."""
    scores = logs(0.6, 0.3, 0.1)
    np.testing.assert_allclose(sampling_probabilities(scores, 0.5, top_k=2), [[36 / 45, 9 / 45, 0]])
    np.testing.assert_allclose(sampling_probabilities(scores, 0.5, top_k=2, top_p=0.79), [[1, 0, 0]])


def test_each_row_is_its_own_distribution():
    scores = np.concatenate([logs(0.7, 0.2, 0.1), logs(0.1, 0.45, 0.45)])
    expected = [[1, 0, 0], [0, 0.5, 0.5]]
    np.testing.assert_allclose(sampling_probabilities(scores, 1, top_k=1), expected)
    np.testing.assert_allclose(sampling_probabilities(scores, 1, top_p=0.6), expected)


@pytest.mark.parametrize(("uniform", "expected"), [(0, 1), (0.29, 1), (0.31, 2), (0.79, 2), (0.81, 4), (1 - 2**-53, 4)])
def test_a_number_from_0_to_1_falls_on_a_token_and_never_on_an_impossible_one(uniform, expected):
    for dtype in (np.float32, np.float64):
        probabilities = np.array([[0, 0.3, 0.5, 0, 0.2, 0]], dtype)
        assert draw(probabilities, np.array([uniform])).tolist() == [expected]


def test_tokens_are_drawn_as_often_as_their_probabilities_say():
    probabilities, num_draws = np.array([0.5, 0.2, 0.3]), 20_000
    uniform = np.random.default_rng(1).random(num_draws)
    counts = np.bincount(draw(np.tile(probabilities, (num_draws, 1)), uniform), minlength=3)
    spread = np.sqrt(num_draws * probabilities * (1 - probabilities))
    assert (np.abs(counts - num_draws * probabilities) < 4 * spread).all()


@given(
    st.lists(st.integers(-160, 160).map(lambda eighths: eighths / 8), min_size=2, max_size=12, unique=True),
    st.floats(0.1, 5),
    st.integers(1, 12),
    st.floats(0.01, 0.99),
)
def test_what_is_cut_off_is_less_probable_than_what_stays_and_the_rest_keep_their_proportions(scores, t, k, p):
    scores = np.array([scores])
    before, after = sampling_probabilities(scores, t)[0], sampling_probabilities(scores, t, k, p)[0]
    assert math.isclose(after.sum(), 1, rel_tol=1e-9)
    stays = after > 0
    assert 1 <= stays.sum() <= k
    assert before[stays].min() >= before[~stays].max(initial=0)
    np.testing.assert_allclose(after[stays], before[stays] / before[stays].sum(), rtol=1e-9)
