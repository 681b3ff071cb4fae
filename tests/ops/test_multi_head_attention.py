import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
    multi_head_attention_forward,
)
from minitransformer.ops.recomputed_attention import RecomputedAttentionCache
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients, upstream


def textbook_attention(q, k, v, query_lengths, key_lengths, num_heads, causal=False):
    """Sequence by sequence, head by head, query by query: the module's docstring as loops."""
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
    "one sequence": ([5], [5]),
    "sequences of different lengths": ([4, 1, 2], [4, 1, 2]),
    "stretches of equal length": ([3, 3, 3, 1, 1, 3], [3, 3, 3, 1, 1, 3]),
    "cross attention": ([2, 2, 3, 1], [5, 5, 4, 6]),
}
every_batch = pytest.mark.parametrize(("query_lengths", "key_lengths"), BATCHES.values(), ids=BATCHES.keys())
NUM_HEADS = 3


def draw(query_lengths, key_lengths, dtype=np.float64):
    """q, k, v, and the lengths as arrays."""
    rng = np.random.default_rng(2)
    rows = sum(query_lengths), sum(key_lengths), sum(key_lengths)
    matrices = [rng.normal(size=(n, 6)).astype(dtype) for n in rows]
    return *matrices, np.array(query_lengths), np.array(key_lengths)


@every_batch
@pytest.mark.parametrize("causal", [False, True])
def test_attention_equals_the_textbook_loops(query_lengths, key_lengths, causal):
    arguments = draw(query_lengths, key_lengths)
    expected = textbook_attention(*arguments, NUM_HEADS, causal)
    y, _ = multi_head_attention_forward(*arguments, NUM_HEADS, causal=causal)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_allclose(multi_head_attention(*arguments, NUM_HEADS, causal=causal), expected, rtol=1e-12)


@every_batch
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rate", [0, 0.3])
def test_gradients_equal_central_differences(query_lengths, key_lengths, causal, rate):
    q, k, v, *lengths = draw(query_lengths, key_lengths)

    def forward(q, k, v):
        rng = generator(1, "dropout")  # the same mask at each call
        return multi_head_attention_forward(q, k, v, *lengths, NUM_HEADS, causal=causal, dropout_rate=rate, rng=rng)

    assert_operation_gradients(forward, multi_head_attention_backward, q, k, v)


LARGE_BATCHES = {  # of more scores than a block takes
    "several sequences in a block": [100] * 12,
    "two heads in a block": [300, 300, 40],
    "one head in a block": [600, 600],
    "weights that are not kept": [1100],
}


@pytest.mark.parametrize("lengths", LARGE_BATCHES.values(), ids=LARGE_BATCHES.keys())
@pytest.mark.parametrize("causal", [False, True])
def test_blocks_give_what_each_head_of_each_sequence_gives_alone(lengths, causal):
    q, k, v, lengths, _ = draw(lengths, lengths)
    y, cache = multi_head_attention_forward(q, k, v, lengths, lengths, NUM_HEADS, causal=causal)
    np.testing.assert_array_equal(multi_head_attention(q, k, v, lengths, lengths, NUM_HEADS, causal=causal), y)
    dy = upstream(y)
    gradients = multi_head_attention_backward(dy, cache)
    ends = np.cumsum(lengths)
    for rows in map(slice, ends - lengths, ends):
        for columns in (slice(2 * head, 2 * head + 2) for head in range(NUM_HEADS)):
            part = rows, columns
            expected, head_cache = attention_forward(q[part], k[part], v[part], causal=causal)
            np.testing.assert_allclose(y[part], expected, rtol=1e-10, atol=1e-13)
            for found, gradient in zip(gradients, attention_backward(dy[part], head_cache), strict=True):
                np.testing.assert_allclose(found[part], gradient, rtol=1e-8, atol=1e-12)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_a_sequence_has_the_same_result_and_gradients_alone_as_among_others(lengths, data):
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


def test_heads_and_sequences_do_not_share_their_dropout():
    """Four equal sequences, three equal heads: if all their weights were equal after dropout, the masks would be."""
    q = np.zeros((4 * 8, 6))
    v = np.tile(np.random.default_rng(0).normal(size=(8, 2)), (4, 3))
    lengths = np.full(4, 8)
    y, _ = multi_head_attention_forward(
        q, q, v, lengths, lengths, NUM_HEADS, dropout_rate=0.5, rng=generator(1, "dropout")
    )
    results = {part.tobytes() for sequence in np.split(y, 4) for part in np.hsplit(sequence, NUM_HEADS)}
    assert len(results) == 12


@pytest.mark.parametrize("options", [{"rng": generator(1)}, {"dropout_rate": 0.5}])
def test_without_an_rng_or_at_rate_0_there_is_no_dropout(options):
    arguments = draw([3, 4], [3, 4])
    expected, _ = multi_head_attention_forward(*arguments, NUM_HEADS)
    y, _ = multi_head_attention_forward(*arguments, NUM_HEADS, **options)
    np.testing.assert_array_equal(y, expected)


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


def test_a_batch_without_sequences_gives_no_rows():
    nothing = np.zeros((0, 6))
    lengths = np.zeros(0, int)
    y, cache = multi_head_attention_forward(nothing, nothing, nothing, lengths, lengths, NUM_HEADS)
    assert [array.shape for array in (y, *multi_head_attention_backward(y, cache))] == [(0, 6)] * 4


@pytest.mark.parametrize(("lengths", "words"), [([2], "add up to 2, but there are 3 rows"), ([3, 0], "holds 0")])
def test_lengths_that_do_not_fit_the_rows_are_refused(lengths, words):
    rows = np.ones((3, 4))
    for attend in (multi_head_attention, multi_head_attention_forward):
        with pytest.raises(ValueError, match=words):
            attend(rows, rows, rows, np.array(lengths), np.array([3]), 2)


def test_the_weights_of_long_sequences_are_not_kept():
    q, k, v, *lengths = draw([3, 1100], [3, 1100], np.float32)
    _, cache = multi_head_attention_forward(q, k, v, *lengths, NUM_HEADS)
    assert [isinstance(kept, RecomputedAttentionCache) for _, kept in cache.blocks] == [False, True, True, True]
