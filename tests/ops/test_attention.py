import functools
import math

import numpy as np
import pytest

from minitransformer.ops.attention import attention_backward, attention_forward, attention_weights
from minitransformer.ops.cross_entropy import cross_entropy_forward
from minitransformer.ops.linear import linear_forward
from minitransformer.ops.softmax import softmax_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients

# The lecture's in-class exercise "ICE #0" gives two tokens of H = 4 numbers and the matrices of one head with D = 3.
ICE_X = np.array([[1.0, 2, 3, -1], [3, -4, -7, 5]])
ICE_W_Q = np.array([[-1.0, 2, 0], [2, 3, -5], [1, 0, 0], [-3, 1, 2]])
ICE_W_K = np.array([[1.0, 2, 3], [2, 4, 3], [3, 0, 3], [-1, 5, 2]])
ICE_W_V = np.array([[-1.0, -2, 3], [2, -4, 0], [0, 0, 1], [1, 0, -7]])


def ice_0(dtype=np.float64):
    """The exercise's Q, K and V (2, 3)."""
    x, *weights = (array.astype(dtype) for array in (ICE_X, ICE_W_Q, ICE_W_K, ICE_W_V))
    return [linear_forward(x, weight, np.zeros(3, dtype))[0] for weight in weights]


def test_ice_0_projections_are_the_numbers_worked_out_by_hand():
    """Row i of x W is a sum of the rows of W, each times one number of token i.

    Token 1 is (1, 2, 3, -1), token 2 is (3, -4, -7, 5):

        q1 = 1 (-1, 2, 0) + 2 (2, 3, -5) + 3 (1, 0, 0) - 1 (-3, 1, 2)
           = (-1 + 4 + 3 + 3,  2 + 6 + 0 - 1,  0 - 10 + 0 - 2)               = (  9,   7, -12)
        q2 = 3 (-1, 2, 0) - 4 (2, 3, -5) - 7 (1, 0, 0) + 5 (-3, 1, 2)
           = (-3 - 8 - 7 - 15,  6 - 12 - 0 + 5,  0 + 20 - 0 + 10)            = (-33,  -1,  30)

        k1 = 1 (1, 2, 3) + 2 (2, 4, 3) + 3 (3, 0, 3) - 1 (-1, 5, 2)
           = (1 + 4 + 9 + 1,  2 + 8 + 0 - 5,  3 + 6 + 9 - 2)                 = ( 15,   5,  16)
        k2 = 3 (1, 2, 3) - 4 (2, 4, 3) - 7 (3, 0, 3) + 5 (-1, 5, 2)
           = (3 - 8 - 21 - 5,  6 - 16 - 0 + 25,  9 - 12 - 21 + 10)           = (-31,  15, -14)

        v1 = 1 (-1, -2, 3) + 2 (2, -4, 0) + 3 (0, 0, 1) - 1 (1, 0, -7)
           = (-1 + 4 + 0 - 1,  -2 - 8 + 0 - 0,  3 + 0 + 3 + 7)               = (  2, -10,  13)
        v2 = 3 (-1, -2, 3) - 4 (2, -4, 0) - 7 (0, 0, 1) + 5 (1, 0, -7)
           = (-3 - 8 - 0 + 5,  -6 + 16 - 0 + 0,  9 - 0 - 7 - 35)             = ( -6,  10, -33)
    """
    q, k, v = ice_0()
    np.testing.assert_array_equal(q, [[9, 7, -12], [-33, -1, 30]])
    np.testing.assert_array_equal(k, [[15, 5, 16], [-31, 15, -14]])
    np.testing.assert_array_equal(v, [[2, -10, 13], [-6, 10, -33]])


@pytest.mark.parametrize(
    ("scale", "scores", "weights", "first_row"),
    [
        (
            1.0,
            [[-22, -6], [-20, 588]],
            [[1.12535162055e-7, 0.99999988746483794], [8.8910899265e-265, 1]],
            [-5.9999990997, 9.9999977493, -32.9999948233],
        ),
        (
            None,
            [[-12.7017059222, -3.4641016151], [-11.5470053838, 339.4819582835]],
            [[9.730096872707931e-5, 0.9999026990312729], [3.5486085212e-153, 1]],
            [-5.99922159225, 9.99805398063, -32.99552415544],
        ),
    ],
    ids=["unscaled", "scaled by 1 / sqrt(3)"],
)
def test_ice_0_scores_weights_and_output_are_the_numbers_worked_out_by_hand(scale, scores, weights, first_row):
    """Q K^T, row by row:

        q1 . k1 = 9 * 15 + 7 * 5 - 12 * 16  =  -22      q1 . k2 = -9 * 31 + 7 * 15 + 12 * 14 =  -6
        q2 . k1 = -33 * 15 - 5 + 30 * 16    =  -20      q2 . k2 = 33 * 31 - 15 - 30 * 14     = 588

    The differences within the rows, 16 and 608, are all that softmax sees. With d = 16, or 16 / sqrt(3) when scaled,
    token 1 gives token 1 the weight w = 1 / (1 + e^d) and token 2 the rest, so its output is

        w v1 + (1 - w) v2 = (-6 + 8 w, 10 - 20 w, -33 + 46 w)

    Token 2 gives token 1 the weight e^-608 = 8.9e-265, or e^(-608 / sqrt(3)) = 3.5e-153: its output is v2, and the
    answer to "which token does token 2 attend to?" is token 2.
    """
    q, k, v = ice_0()
    np.testing.assert_allclose(q @ k.T * (scale or 1 / math.sqrt(3)), scores, rtol=1e-10)
    y, cache = attention_forward(q, k, v, scale=scale)
    np.testing.assert_allclose(cache.weights, weights, rtol=1e-10)
    np.testing.assert_allclose(y[0], first_row, rtol=1e-10)
    np.testing.assert_array_equal(y[1], [-6, 10, -33])
    w = 1 / (1 + math.exp(16 if scale else 16 / math.sqrt(3)))
    np.testing.assert_allclose(y[0], [-6 + 8 * w, 10 - 20 * w, -33 + 46 * w], rtol=1e-14)


@pytest.mark.parametrize(("scale", "differences"), [(1.0, [16, 608]), (None, [9.2376043070, 351.0289636673])])
def test_ice_0_log_probabilities_differ_by_the_difference_of_the_scores(scale, differences):
    """Next to a 1, both 8.9e-265 and 3.5e-153 look like 0; their logarithms tell them apart."""
    _, cache = attention_forward(*ice_0(), scale=scale)
    log_weights = np.log(cache.weights)
    np.testing.assert_allclose(log_weights[:, 1] - log_weights[:, 0], differences, rtol=1e-10)


def test_ice_0_in_float32_overflows_only_the_textbook_softmax():
    """exp(588) is 2.3e255: finite in float64, infinite in float32, and infinity over infinity is not a number."""
    q, k, v = ice_0(np.float32)
    scores = q @ k.T
    with np.errstate(over="ignore", invalid="ignore"):
        textbook = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert np.isnan(textbook[1, 1])
    assert np.isfinite(np.exp(scores.astype(np.float64))).all()

    y, cache = attention_forward(q, k, v, scale=1.0)
    np.testing.assert_array_equal(cache.weights[1], [0, 1])  # 8.9e-265 is below the smallest float32
    np.testing.assert_allclose(y, [[-5.9999990997, 9.9999977493, -32.9999948233], [-6, 10, -33]], rtol=1e-6)
    minus_log_probabilities, _ = cross_entropy_forward(scores, np.array([0, 0]))
    np.testing.assert_allclose(minus_log_probabilities, [16 + 1.12535168e-7, 608], rtol=1e-6)


def draw(num_queries, num_keys):
    """q (T, 6), k and v (U, 6)."""
    rng = np.random.default_rng(2)
    return [rng.normal(size=(n, 6)) for n in (num_queries, num_keys, num_keys)]


def test_gradients_equal_central_differences_with_another_scale():
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(3, 2)), rng.normal(size=(5, 2)), rng.normal(size=(5, 4))
    assert_operation_gradients(functools.partial(attention_forward, scale=0.3), attention_backward, q, k, v)


def test_a_causal_query_sees_no_later_key_and_the_last_one_sees_all():
    """T = 3 queries are the last of U = 5 places: query 0 sees keys 0 to 2."""
    q, k, v = draw(3, 5)
    y, cache = attention_forward(q, k, v, causal=True)
    np.testing.assert_array_equal(cache.weights > 0, [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    changed_k, changed_v = k.copy(), v.copy()
    changed_k[4], changed_v[4] = 100, -100
    changed, _ = attention_forward(q, changed_k, changed_v, causal=True)
    np.testing.assert_allclose(changed[:2], y[:2], rtol=1e-13)
    assert (changed[2] != y[2]).all()


@pytest.mark.parametrize("size", [1, 30, 1e4])
def test_causal_weights_are_the_softmax_of_what_is_seen_however_large_the_scores_are(size):
    """Query 1 doesn't see key 2, whose score is the largest by far."""
    q, k, _ = draw(3, 3)
    k[2] = size * q[1]
    weights = attention_weights(q, k, 1.0, causal=True)
    np.testing.assert_allclose(weights[1, :2], softmax_forward(q[1] @ k[:2].T)[0], rtol=1e-13)
    np.testing.assert_allclose(weights[2], softmax_forward(q[2] @ k.T)[0], rtol=1e-13)
    np.testing.assert_array_equal(weights[[0, 0, 1], [1, 2, 2]], 0)


@pytest.mark.parametrize("size", [50, 59.9, 60.1, 80, 88, 89, 100, 1e30])
def test_causal_weights_in_float32_lose_no_digits_whatever_the_sizes_of_the_scores(size):
    """In float32 exp(89) is infinite and exp(-104) is 0. Query 0 sees its lowest score alone."""
    scores = size * np.array([[-1, 1, 1, 1], [-0.99, -1, 1, 1], [1, 0.99, -1, 1], [-1, 0.98, 0.99, 1]], np.float32)
    weights = attention_weights(np.eye(4, dtype=np.float32), scores.T, 1.0, causal=True)
    for i in range(4):
        expected, _ = softmax_forward(scores[i, : i + 1].astype(np.float64))
        np.testing.assert_allclose(weights[i, : i + 1], expected, rtol=1e-6, atol=1e-37)
        np.testing.assert_array_equal(weights[i, i + 1 :], 0)


def test_the_causal_result_of_the_last_queries_equals_that_of_the_whole_sentence():
    """What a decoder that keeps its keys and values relies on when it continues with two more tokens."""
    q, k, v = draw(5, 5)
    whole, _ = attention_forward(q, k, v, causal=True)
    continued, _ = attention_forward(q[3:], k, v, causal=True)
    np.testing.assert_allclose(continued, whole[3:], rtol=1e-14)


def test_dropout_removes_weights_and_scales_up_the_others():
    """With the unit vectors as values, y is the weights themselves, after dropout."""
    q, k, _ = draw(30, 40)
    weights, _ = attention_forward(q, k, np.eye(40))
    kept, _ = attention_forward(q, k, np.eye(40), dropout_rate=0.25, rng=generator(1, "dropout"))
    is_kept = kept > 0
    np.testing.assert_allclose(kept[is_kept], weights[is_kept] / 0.75, rtol=1e-12)
    assert abs(is_kept.mean() - 0.75) < 6 * math.sqrt(0.25 * 0.75 / is_kept.size)


def test_causal_queries_without_a_key_are_refused():
    with pytest.raises(ValueError, match="3 queries needs at least as many keys"):
        attention_forward(np.ones((3, 2)), np.ones((2, 2)), np.ones((2, 2)), causal=True)
