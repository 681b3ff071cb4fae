import functools
import math

import numpy as np
import pytest

from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.cross_entropy import cross_entropy_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients

# The in-class exercise "ICE #0": two tokens, D = 3.
ICE_Q = np.array([[9.0, 7, -12], [-33, -1, 30]])
ICE_K = np.array([[15.0, 5, 16], [-31, 15, -14]])
ICE_V = np.array([[2.0, -10, 13], [-6, 10, -33]])
ICE_SCORES = np.array([[-22.0, -6], [-20, 588]])


@pytest.mark.parametrize(
    ("scale", "weights", "first_row"),
    [
        (
            1.0,
            [[1.12535162055e-7, 0.99999988746483794], [8.8910899265e-265, 1]],
            [-5.9999990997, 9.9999977493, -32.9999948233],
        ),
        (
            None,
            [[9.730096872707931e-5, 0.9999026990312729], [3.5486085212e-153, 1]],
            [-5.99922159225, 9.99805398063, -32.99552415544],
        ),
    ],
    ids=["unscaled", "scaled by 1 / sqrt(3)"],
)
def test_ice_0_gives_the_numbers_worked_out_by_hand(scale, weights, first_row):
    """Q K^T, a product of rows at a time:

        q1 . k1 = 9 * 15 + 7 * 5 - 12 * 16  =  -22      q1 . k2 = -9 * 31 + 7 * 15 + 12 * 14 =  -6
        q2 . k1 = -33 * 15 - 5 + 30 * 16    =  -20      q2 . k2 = 33 * 31 - 15 - 30 * 14     = 588

    The differences of the rows, 16 and 608, are all that softmax sees. With d = 16, or 16 / sqrt(3) when scaled,
    token 1 gives token 1 the weight w = 1 / (1 + e^d) and token 2 the rest, so its row is

        w v1 + (1 - w) v2 = (-6 + 8 w, 10 - 20 w, -33 + 46 w)

    Token 2 gives token 1 the weight e^-608 = 8.9e-265, or e^(-608 / sqrt(3)) = 3.5e-153: its row is v2, and the answer
    to "which token does token 2 attend to?" is token 2.
    """
    np.testing.assert_array_equal(ICE_Q @ ICE_K.T, ICE_SCORES)
    y, cache = attention_forward(ICE_Q, ICE_K, ICE_V, scale=scale)
    np.testing.assert_allclose(cache.weights, weights, rtol=1e-10)
    np.testing.assert_allclose(y[0], first_row, rtol=1e-10)
    np.testing.assert_array_equal(y[1], [-6, 10, -33])
    w = 1 / (1 + math.exp(16 if scale else 16 / math.sqrt(3)))
    np.testing.assert_allclose(y[0], [-6 + 8 * w, 10 - 20 * w, -33 + 46 * w], rtol=1e-14)


@pytest.mark.parametrize(("scale", "differences"), [(1.0, [16, 608]), (None, [9.2376043070, 351.0289636673])])
def test_ice_0_log_probabilities_differ_by_the_difference_of_the_scores(scale, differences):
    """3.5e-153 beside 1 looks like 0 beside 1; the logarithms show what the weights are."""
    _, cache = attention_forward(ICE_Q, ICE_K, ICE_V, scale=scale)
    log_weights = np.log(cache.weights)
    np.testing.assert_allclose(log_weights[:, 1] - log_weights[:, 0], differences, rtol=1e-10)


def test_ice_0_in_float32_overflows_only_the_textbook_softmax():
    """exp(588) is 2.3e255: finite in float64, infinite in float32, and infinity over infinity is not a number."""
    scores = ICE_SCORES.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        textbook = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert np.isnan(textbook[1, 1])
    assert np.isfinite(np.exp(ICE_SCORES)).all()

    q, k, v = (matrix.astype(np.float32) for matrix in (ICE_Q, ICE_K, ICE_V))
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
    np.testing.assert_array_equal(changed[:2], y[:2])
    assert (changed[2] != y[2]).all()


def test_the_causal_result_of_the_last_queries_equals_that_of_the_whole_sentence():
    """What a decoder that keeps its keys and values counts on, when it goes on with two more tokens."""
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


def test_y_is_written_to_the_array_given_as_out():
    q, k, v = draw(3, 5)
    out = np.empty_like(q)
    y, _ = attention_forward(q, k, v, out=out)
    assert y is out
    np.testing.assert_array_equal(out, attention_forward(q, k, v)[0])


def test_causal_queries_without_a_key_are_refused():
    with pytest.raises(ValueError, match="3 queries needs as many keys"):
        attention_forward(np.ones((3, 2)), np.ones((2, 2)), np.ones((2, 2)), causal=True)
