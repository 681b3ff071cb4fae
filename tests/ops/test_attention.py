import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitransformer.ops.attention as attention_module
from minitransformer.ops.attention import (
    attention_backward,
    attention_forward,
    multi_head_attention,
    multi_head_attention_backward,
    multi_head_attention_forward,
)
from minitransformer.ops.cross_entropy import cross_entropy_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients, upstream

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


def textbook_attention(q, k, v, query_lengths, key_lengths, num_heads, causal=False):
    """Sentence by sentence, head by head, query by query: the module's docstring as loops."""
    y = np.zeros_like(q)
    size = q.shape[1] // num_heads
    query_ends, key_ends = np.cumsum(query_lengths), np.cumsum(key_lengths)
    for num_queries, num_keys, query_end, key_end in zip(query_lengths, key_lengths, query_ends, key_ends, strict=True):
        for columns in (slice(head * size, (head + 1) * size) for head in range(num_heads)):
            keys, values = (rows[key_end - num_keys : key_end, columns] for rows in (k, v))
            for i in range(num_queries):
                row = query_end - num_queries + i
                seen = i + num_keys - num_queries + 1 if causal else num_keys
                likelihoods = np.exp(keys[:seen] @ q[row, columns] / math.sqrt(size))
                y[row, columns] = likelihoods @ values[:seen] / likelihoods.sum()
    return y


BATCHES = {
    "one sentence": ([5], [5]),
    "sentences of different lengths": ([4, 1, 2], [4, 1, 2]),
    "runs of equal length": ([3, 3, 3, 1, 1, 3], [3, 3, 3, 1, 1, 3]),
    "cross attention": ([2, 2, 3, 1], [5, 5, 4, 6]),
}
every_batch = pytest.mark.parametrize(("query_lengths", "key_lengths"), BATCHES.values(), ids=BATCHES.keys())
NUM_HEADS = 3
# The scores of one head of one sentence, of two heads, of some sentences; and everything in one block.
every_block_size = pytest.mark.parametrize("block_scores", [1, 2 * 3 * 3, 7 * 3 * 3, 2**17])


def draw(query_lengths, key_lengths, dtype=np.float64):
    """q, k, v, and the lengths as arrays."""
    rng = np.random.default_rng(2)
    rows = sum(query_lengths), sum(key_lengths), sum(key_lengths)
    matrices = [rng.normal(size=(n, 6)).astype(dtype) for n in rows]
    return *matrices, np.array(query_lengths), np.array(key_lengths)


@every_batch
@every_block_size
@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_blocks_equals_the_textbook_loops(monkeypatch, query_lengths, key_lengths, block_scores, causal):
    monkeypatch.setattr(attention_module, "_BLOCK_SCORES", block_scores)
    arguments = draw(query_lengths, key_lengths)
    expected = textbook_attention(*arguments, NUM_HEADS, causal)
    y, _ = multi_head_attention_forward(*arguments, NUM_HEADS, causal=causal)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_allclose(multi_head_attention(*arguments, NUM_HEADS, causal=causal), expected, rtol=1e-12)


@every_batch
@every_block_size
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rate", [0, 0.3])
def test_gradients_equal_central_differences(monkeypatch, query_lengths, key_lengths, block_scores, causal, rate):
    monkeypatch.setattr(attention_module, "_BLOCK_SCORES", block_scores)
    q, k, v, *lengths = draw(query_lengths, key_lengths)

    def forward(q, k, v):
        rng = generator(1, "dropout")  # the same mask at each call
        return multi_head_attention_forward(q, k, v, *lengths, NUM_HEADS, causal=causal, dropout_rate=rate, rng=rng)

    assert_operation_gradients(forward, multi_head_attention_backward, q, k, v)


def test_gradients_equal_central_differences_with_another_scale():
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(3, 2)), rng.normal(size=(5, 2)), rng.normal(size=(5, 4))
    assert_operation_gradients(functools.partial(attention_forward, scale=0.3), attention_backward, q, k, v)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_a_sentence_has_the_same_result_and_gradients_alone_as_among_others(lengths, data):
    chosen = data.draw(st.integers(0, len(lengths) - 1))
    rows = slice(sum(lengths[:chosen]), sum(lengths[: chosen + 1]))
    *matrices, lengths, _ = draw(lengths, lengths)
    y, cache = multi_head_attention_forward(*matrices, lengths, lengths, NUM_HEADS)
    dy = upstream(y)
    gradients = multi_head_attention_backward(dy, cache)

    length = lengths[chosen : chosen + 1]
    alone, cache = multi_head_attention_forward(*[matrix[rows] for matrix in matrices], length, length, NUM_HEADS)
    np.testing.assert_allclose(alone, y[rows], rtol=1e-12)
    for gradient, in_batch in zip(multi_head_attention_backward(dy[rows], cache), gradients, strict=True):
        np.testing.assert_allclose(gradient, in_batch[rows], rtol=1e-12, atol=1e-15)


def test_a_causal_query_sees_no_later_key_and_the_last_one_sees_all():
    """T = 3 queries are the last of U = 5 places: query 0 sees keys 0 to 2."""
    q, k, v, *_ = draw([3], [5])
    y, cache = attention_forward(q, k, v, causal=True)
    np.testing.assert_array_equal(cache.weights > 0, [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    changed_k, changed_v = k.copy(), v.copy()
    changed_k[4], changed_v[4] = 100, -100
    changed, _ = attention_forward(q, changed_k, changed_v, causal=True)
    np.testing.assert_array_equal(changed[:2], y[:2])
    assert (changed[2] != y[2]).all()


def test_the_causal_result_of_the_last_queries_equals_that_of_the_whole_sentence():
    """What a decoder that keeps its keys and values counts on, when it goes on with two more tokens."""
    q, k, v, *_ = draw([5], [5])
    whole, _ = attention_forward(q, k, v, causal=True)
    continued, _ = attention_forward(q[3:], k, v, causal=True)
    np.testing.assert_allclose(continued, whole[3:], rtol=1e-14)


def test_dropout_removes_weights_and_scales_up_the_others():
    """With the unit vectors as values, y is the weights themselves, after dropout."""
    q, k, *_ = draw([30], [40])
    weights, _ = attention_forward(q, k, np.eye(40))
    kept, _ = attention_forward(q, k, np.eye(40), dropout_rate=0.25, rng=generator(1, "dropout"))
    is_kept = kept > 0
    np.testing.assert_allclose(kept[is_kept], weights[is_kept] / 0.75, rtol=1e-12)
    assert abs(is_kept.mean() - 0.75) < 6 * math.sqrt(0.25 * 0.75 / is_kept.size)


def test_heads_and_sentences_do_not_share_their_dropout():
    """Four equal sentences, three equal heads: if all their weights were equal after dropout, the masks would be."""
    q = np.zeros((4 * 8, 6))
    v = np.tile(np.random.default_rng(0).normal(size=(8, 2)), (4, 3))
    lengths = np.full(4, 8)
    y, _ = multi_head_attention_forward(
        q, q, v, lengths, lengths, NUM_HEADS, dropout_rate=0.5, rng=generator(1, "dropout")
    )
    results = {part.tobytes() for sentence in np.split(y, 4) for part in np.hsplit(sentence, NUM_HEADS)}
    assert len(results) == 12


@pytest.mark.parametrize("options", [{"rng": generator(1)}, {"dropout_rate": 0.5}])
def test_without_an_rng_or_at_rate_0_there_is_no_dropout(options):
    arguments = draw([3, 4], [3, 4])
    expected, _ = multi_head_attention_forward(*arguments, NUM_HEADS)
    y, _ = multi_head_attention_forward(*arguments, NUM_HEADS, **options)
    np.testing.assert_array_equal(y, expected)


def test_y_is_written_to_the_array_given_as_out():
    q, k, v, *_ = draw([3], [5])
    out = np.empty_like(q)
    y, _ = attention_forward(q, k, v, out=out)
    assert y is out
    np.testing.assert_array_equal(out, attention_forward(q, k, v)[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inference_gives_the_training_forwards_result_in_the_same_dtype(dtype):
    arguments = draw([3, 4], [3, 4], dtype)
    y = multi_head_attention(*arguments, NUM_HEADS)
    assert y.dtype == dtype
    expected, _ = multi_head_attention_forward(*arguments, NUM_HEADS)
    np.testing.assert_allclose(y, expected, rtol=100 * np.finfo(dtype).eps)


def test_scores_of_thousands_leave_result_and_gradients_finite():
    q, k, v, *lengths = draw([3, 4], [3, 4], np.float32)
    y, cache = multi_head_attention_forward(100 * q, 100 * k, v, *lengths, NUM_HEADS)
    gradients = multi_head_attention_backward(upstream(y), cache)
    assert all(np.isfinite(array).all() for array in (y, *gradients))


def test_a_batch_without_sentences_gives_no_rows():
    nothing = np.zeros((0, 6))
    lengths = np.zeros(0, int)
    y, cache = multi_head_attention_forward(nothing, nothing, nothing, lengths, lengths, NUM_HEADS)
    assert [array.shape for array in (y, *multi_head_attention_backward(y, cache))] == [(0, 6)] * 4


def test_causal_queries_without_a_key_are_refused():
    with pytest.raises(ValueError, match="3 queries needs as many keys"):
        attention_forward(np.ones((3, 2)), np.ones((2, 2)), np.ones((2, 2)), causal=True)


@pytest.mark.parametrize(("lengths", "words"), [([2], "add up to 2, but there are 3 rows"), ([3, 0], "holds 0")])
def test_lengths_that_do_not_fit_the_rows_are_refused(lengths, words):
    rows = np.ones((3, 4))
    for attend in (multi_head_attention, multi_head_attention_forward):
        with pytest.raises(ValueError, match=words):
            attend(rows, rows, rows, np.array(lengths), np.array([3]), 2)
