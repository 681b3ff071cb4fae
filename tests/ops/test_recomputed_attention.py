"""ops/recomputed_attention.py against ops/attention.py: the same numbers from less memory."""

import functools
import tracemalloc

import numpy as np
import pytest

from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.recomputed_attention import recomputed_attention_backward, recomputed_attention_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients, upstream


def draw(num_queries=400, num_keys=400, stacks=(2,), seed=1, dtype=np.float64):
    """q, k and v of more scores than a block takes, unless told otherwise."""
    rng = np.random.default_rng(seed)
    shapes = (*stacks, num_queries, 3), (*stacks, num_keys, 3), (*stacks, num_keys, 5)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


EVERY_KIND = [
    {},
    {"causal": True},
    {"scale": 1.0},
]
every_kind = pytest.mark.parametrize("options", EVERY_KIND, ids=["plain", "causal", "unscaled"])
every_shape = pytest.mark.parametrize(
    "shape",
    [
        {},
        {"num_keys": 700, "stacks": ()},
        {"stacks": (2, 3)},
        {"num_keys": 900},
        {"num_queries": 1},
    ],
    ids=["a stack", "one head", "stacks of stacks", "more keys than queries", "one query"],
)


@every_kind
@every_shape
def test_y_equals_plain_attention(options, shape):
    q, k, v = draw(**shape)
    expected, _ = attention_forward(q, k, v, **options)
    y, _ = recomputed_attention_forward(q, k, v, **options)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)


@every_kind
@every_shape
def test_the_gradients_equal_plain_attention(options, shape):
    q, k, v = draw(**shape)
    y, cache = attention_forward(q, k, v, **options)
    _, recomputed_cache = recomputed_attention_forward(q, k, v, **options)
    dy = upstream(y)
    found = recomputed_attention_backward(dy, recomputed_cache)
    for gradient, expected in zip(found, attention_backward(dy, cache), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


@every_kind
def test_the_gradients_equal_central_differences(options):
    forward = functools.partial(recomputed_attention_forward, **options)
    assert_operation_gradients(forward, recomputed_attention_backward, *draw(7, 7))


def test_the_gradients_under_dropout_equal_central_differences():
    def forward(q, k, v):
        return recomputed_attention_forward(q, k, v, dropout_rate=0.4, rng=generator(3, "dropout"))

    assert_operation_gradients(forward, recomputed_attention_backward, *draw(7, 7))


def test_the_gradients_under_dropout_in_several_blocks_equal_central_differences_along_a_line():
    """600 x 600 scores take several blocks, and each must draw its mask of the forward again."""
    arguments, line = draw(600, 600, stacks=()), draw(600, 600, stacks=(), seed=2)

    def loss(t):
        moved = [argument + t * direction for argument, direction in zip(arguments, line, strict=True)]
        y, cache = recomputed_attention_forward(*moved, dropout_rate=0.4, rng=generator(3, "dropout"))
        return (upstream(y) * y).sum(), cache, upstream(y)

    _, cache, dy = loss(0)
    gradients = recomputed_attention_backward(dy, cache)
    slope = sum((gradient * direction).sum() for gradient, direction in zip(gradients, line, strict=True))
    assert slope == pytest.approx((loss(1e-5)[0] - loss(-1e-5)[0]) / 2e-5, rel=1e-7)


def test_dropout_drops_at_its_rate_with_another_mask_for_each_block_and_call():
    q, k, _ = draw(600, 600, stacks=())
    v = np.eye(600)  # y is the weights after dropout
    rng = generator(4, "dropout")
    weights, _ = recomputed_attention_forward(q, k, v)
    first, second = (recomputed_attention_forward(q, k, v, dropout_rate=0.25, rng=rng)[0] for _ in range(2))
    kept = first != 0
    assert kept.mean() == pytest.approx(0.75, abs=0.01)
    np.testing.assert_allclose(first[kept], weights[kept] / 0.75, rtol=1e-4)
    assert len(np.unique(kept, axis=0)) == len(kept)
    assert ((second != 0) != kept).any()


def test_scores_that_would_overflow_exp_are_harmless_and_float32_stays_float32():
    q, k, v = draw(dtype=np.float32)
    expected, _ = attention_forward(1e3 * q, k, v)
    y, cache = recomputed_attention_forward(1e3 * q, k, v)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
    gradients = recomputed_attention_backward(upstream(y), cache)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in (y, *gradients))


def test_the_arguments_stay_as_they_are():
    arguments = draw()
    before = [argument.copy() for argument in arguments]
    y, cache = recomputed_attention_forward(*arguments)
    recomputed_attention_backward(upstream(y), cache)
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, copy)


def test_memory_grows_with_the_length_and_not_with_its_square():
    def peak(length):
        q, k, v = draw(length, length, stacks=(), dtype=np.float32)
        tracemalloc.start()
        y, cache = recomputed_attention_forward(q, k, v, dropout_rate=0.1, rng=generator(5, "dropout"))
        recomputed_attention_backward(upstream(y), cache)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(8192) < 3 * peak(4096)
    assert peak(8192) < 8192 * 8192 * 4 / 8  # an eighth of the weights


def test_causal_queries_without_a_key_are_refused():
    with pytest.raises(ValueError, match="7 queries needs at least as many keys"):
        recomputed_attention_forward(*draw(7, 6), causal=True)
