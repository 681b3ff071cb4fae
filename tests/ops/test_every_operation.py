"""What must hold of every operation. A new one gets a line in OPERATIONS; a test sees to it that none is forgotten."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import minitransformer.ops
from minitransformer.ops.additive_attention import additive_attention_backward, additive_attention_forward
from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.biased_attention import biased_attention_backward, biased_attention_forward
from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_backward, binary_cross_entropy_forward
from minitransformer.ops.cosent_loss import cosent_loss_backward, cosent_loss_forward
from minitransformer.ops.cosine_similarity import (
    cosine_matrix_backward,
    cosine_matrix_forward,
    cosine_similarity_backward,
    cosine_similarity_forward,
)
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.dropout import dropout_backward, dropout_forward
from minitransformer.ops.elementwise import FUNCTIONS, elementwise_backward, elementwise_forward
from minitransformer.ops.embedding import embedding_backward, embedding_forward
from minitransformer.ops.gelu import gelu_backward, gelu_forward, gelu_tanh_forward
from minitransformer.ops.in_batch_loss import in_batch_loss_backward, in_batch_loss_forward
from minitransformer.ops.layer_norm import layer_norm_backward, layer_norm_forward
from minitransformer.ops.linear import linear_backward, linear_forward
from minitransformer.ops.low_rank import low_rank_backward, low_rank_forward
from minitransformer.ops.lstm import lstm_backward, lstm_cell_backward, lstm_cell_forward, lstm_forward
from minitransformer.ops.mean import mean_backward, mean_forward
from minitransformer.ops.multi_head_attention import multi_head_attention_backward, multi_head_attention_forward
from minitransformer.ops.negative_sampling import negative_sampling_backward, negative_sampling_forward
from minitransformer.ops.negative_weights import WEIGHTS, negative_weights_backward, negative_weights_forward
from minitransformer.ops.normalise import normalise_backward, normalise_forward
from minitransformer.ops.pair_features import COMPONENTS, pair_features_backward, pair_features_forward
from minitransformer.ops.pooling import (
    cls_pooling_backward,
    cls_pooling_forward,
    lasttoken_pooling_backward,
    lasttoken_pooling_forward,
    max_pooling_backward,
    max_pooling_forward,
    mean_pooling_backward,
    mean_pooling_forward,
    mean_sqrt_len_pooling_forward,
    weightedmean_pooling_backward,
    weightedmean_pooling_forward,
)
from minitransformer.ops.ranking_loss import ranking_loss_backward, ranking_loss_forward, right_answers
from minitransformer.ops.recomputed_attention import recomputed_attention_backward, recomputed_attention_forward
from minitransformer.ops.relu import relu_backward, relu_forward
from minitransformer.ops.smoothed_cross_entropy import (
    smoothed_cross_entropy_backward,
    smoothed_cross_entropy_forward,
)
from minitransformer.ops.softmax import softmax_backward, softmax_forward
from minitransformer.ops.squared_error import squared_error_backward, squared_error_forward
from minitransformer.ops.tanh import tanh_backward, tanh_forward
from minitransformer.ops.triplet_loss import triplet_loss_backward, triplet_loss_forward
from minitransformer.randomness import generator
from tests.gradient_check import assert_operation_gradients, upstream


class Operation(NamedTuple):
    """A forward/backward pair, and the shapes of the arguments that have a gradient; the rest is filled in."""

    forward: Callable[..., tuple[np.ndarray, Any]]
    backward: Callable[[np.ndarray, Any], Any]
    shapes: list[tuple[int, ...]]


def table_gradient(dy, cache):
    """embedding_backward's ids and rows, laid out as the gradient of the whole table (6, 3)."""
    ids, rows = embedding_backward(dy, cache)
    dtable = np.zeros((6, 3), dy.dtype)
    dtable[ids] = rows
    return dtable


def lstm_cell_rows(z, c):
    """h and c one beside the other: (4, 6)."""
    states, cache = lstm_cell_forward(z, c)
    return np.hstack(states), cache


def lstm_rows(*arguments):
    """y (8, 3) of three sentences, and the last c (3, 3) under it."""
    rows, cache = lstm_forward(*arguments, LENGTHS)
    return np.vstack(rows), cache


def dropout_rng():
    """The same numbers at each call, so that central differences meet the same mask."""
    return generator(5, "dropout")


LENGTHS = np.array([3, 1, 4])  # of three sentences, one under the other
NEGATIVES = np.array([[0, 1, 1, 0, 1], [1, 0, 0, 1, 1], [0, 0, 0, 0, 0]], bool)  # of three queries, the last has none
EQUAL_TEXTS = right_answers(np.array([0, 1, 2, 1]), np.array([10, 11, 12, 13, 10, 2, 14]))

OPERATIONS = {
    "additive_attention": Operation(
        lambda q, k, v, w: additive_attention_forward(q, k, v, w, LENGTHS),
        additive_attention_backward,
        [(3, 4), (8, 4), (8, 7), (4,)],
    ),
    "attention": Operation(attention_forward, attention_backward, [(2, 3, 4), (2, 5, 4), (2, 5, 6)]),
    "attention, causal, with dropout": Operation(
        lambda q, k, v: attention_forward(q, k, v, causal=True, dropout_rate=0.3, rng=dropout_rng()),
        attention_backward,
        [(2, 3, 4), (2, 5, 4), (2, 5, 6)],
    ),
    "biased_attention, with dropout": Operation(
        lambda q, k, v, bias: biased_attention_forward(q, k, v, bias, LENGTHS, dropout_rate=0.3, rng=dropout_rng()),
        biased_attention_backward,
        [(8, 6), (8, 6), (8, 6), (2, 4, 4)],
    ),
    "binary_cross_entropy": Operation(
        lambda z: binary_cross_entropy_forward(z, np.linspace(0, 1, 5, dtype=z.dtype)),
        binary_cross_entropy_backward,
        [(3, 5)],
    ),
    "cls_pooling": Operation(lambda x: cls_pooling_forward(x, LENGTHS), cls_pooling_backward, [(8, 7)]),
    "cosent_loss": Operation(
        lambda cosines: cosent_loss_forward(cosines, np.array([0.2, 1, 0, 0.2, 0.7]), 3.0), cosent_loss_backward, [(5,)]
    ),
    "cosine_matrix": Operation(cosine_matrix_forward, cosine_matrix_backward, [(4, 7), (5, 7)]),
    "cosine_similarity": Operation(cosine_similarity_forward, cosine_similarity_backward, [(4, 7), (4, 7)]),
    "cross_entropy": Operation(
        lambda logits: cross_entropy_forward(logits, np.array([4, 0, 4])), cross_entropy_backward, [(3, 5)]
    ),
    "dropout": Operation(lambda x: dropout_forward(x, 0.3, dropout_rng()), dropout_backward, [(4, 7)]),
    **{
        f"elementwise, {name}": Operation(
            lambda x, name=name: elementwise_forward(3 * x, name),
            lambda dy, cache: 3 * elementwise_backward(dy, cache),
            [(9, 7)],
        )
        for name in FUNCTIONS
    },
    "embedding": Operation(
        lambda table: embedding_forward(table, np.array([4, 1, 4, 0, 4, 1, 2])), table_gradient, [(6, 3)]
    ),
    "gelu": Operation(gelu_forward, gelu_backward, [(4, 7)]),
    "gelu_tanh": Operation(gelu_tanh_forward, gelu_backward, [(4, 7)]),
    "in_batch_loss, sum": Operation(
        lambda scores, weights: in_batch_loss_forward(scores, weights, NEGATIVES, 1.7, "sum"),
        in_batch_loss_backward,
        [(3, 5), (3, 5)],
    ),
    "in_batch_loss": Operation(
        lambda scores, weights: in_batch_loss_forward(scores, weights, NEGATIVES, 1.7),
        in_batch_loss_backward,
        [(3, 5), (3, 5)],
    ),
    "lasttoken_pooling": Operation(
        lambda x: lasttoken_pooling_forward(x, LENGTHS), lasttoken_pooling_backward, [(8, 7)]
    ),
    "layer_norm": Operation(
        lambda x, gamma, beta: layer_norm_forward(x, gamma, beta, 1e-12), layer_norm_backward, [(4, 7), (7,), (7,)]
    ),
    "linear": Operation(linear_forward, linear_backward, [(4, 7), (7, 3), (3,)]),
    "low_rank": Operation(lambda x, a, b: low_rank_forward(x, a, b, 1.7), low_rank_backward, [(4, 7), (7, 2), (2, 3)]),
    "lstm_cell": Operation(
        lstm_cell_rows, lambda dy, cache: lstm_cell_backward(dy[:, :3], dy[:, 3:], cache), [(4, 12), (4, 3)]
    ),
    "lstm": Operation(
        lstm_rows,
        lambda dy, cache: lstm_backward(dy[:8], dy[8:], cache),
        [(8, 5), (3, 3), (3, 3), (5, 12), (3, 12), (12,)],
    ),
    "max_pooling": Operation(lambda x: max_pooling_forward(x, LENGTHS), max_pooling_backward, [(8, 7)]),
    "mean_pooling": Operation(lambda x: mean_pooling_forward(x, LENGTHS), mean_pooling_backward, [(8, 7)]),
    "mean_sqrt_len_pooling": Operation(
        lambda x: mean_sqrt_len_pooling_forward(x, LENGTHS), mean_pooling_backward, [(8, 7)]
    ),
    "mean": Operation(lambda x: mean_forward(x, 40), mean_backward, [(4, 7)]),
    "multi_head_attention": Operation(
        lambda q, k, v: multi_head_attention_forward(q, k, v, np.array([2, 3, 3]), np.array([4, 1, 1]), 3),
        multi_head_attention_backward,
        [(8, 12), (6, 12), (6, 12)],
    ),
    **{
        f"negative_weights, {kind}": Operation(
            lambda scores, kind=kind: negative_weights_forward(scores, NEGATIVES, kind, 0.6),
            negative_weights_backward,
            [(3, 5)],
        )
        for kind in WEIGHTS
    },
    "negative_sampling": Operation(negative_sampling_forward, negative_sampling_backward, [(4, 3), (4, 3), (4, 5, 3)]),
    "normalise": Operation(normalise_forward, normalise_backward, [(4, 7)]),
    "pair_features": Operation(
        lambda u, v: pair_features_forward(u, v, COMPONENTS), pair_features_backward, [(4, 7), (4, 7)]
    ),
    "ranking_loss": Operation(
        lambda similarities: ranking_loss_forward(similarities, None, 3.0, symmetric=False),
        ranking_loss_backward,
        [(4, 7)],
    ),
    "ranking_loss, symmetric, with equal texts": Operation(
        lambda similarities: ranking_loss_forward(similarities, EQUAL_TEXTS, 3.0, symmetric=True),
        ranking_loss_backward,
        [(4, 7)],
    ),
    "recomputed_attention, causal, with dropout": Operation(
        lambda q, k, v: recomputed_attention_forward(q, k, v, causal=True, dropout_rate=0.3, rng=dropout_rng()),
        recomputed_attention_backward,
        [(2, 3, 4), (2, 5, 4), (2, 5, 6)],
    ),
    "relu": Operation(relu_forward, relu_backward, [(4, 7)]),
    "smoothed_cross_entropy": Operation(
        lambda logits: smoothed_cross_entropy_forward(logits, np.array([4, 0, 4]), 0.3),
        smoothed_cross_entropy_backward,
        [(3, 5)],
    ),
    "softmax": Operation(softmax_forward, softmax_backward, [(2, 4, 7)]),
    "squared_error": Operation(
        lambda x: squared_error_forward(x, np.linspace(0, 1, 7, dtype=x.dtype)), squared_error_backward, [(4, 7)]
    ),
    "tanh": Operation(tanh_forward, tanh_backward, [(4, 7)]),
    "triplet_loss": Operation(
        lambda anchors, positives, negatives: triplet_loss_forward(anchors, positives, negatives, 0.5),
        triplet_loss_backward,
        [(5, 7), (5, 7), (5, 7)],
    ),
    "weightedmean_pooling": Operation(
        lambda x: weightedmean_pooling_forward(x, LENGTHS), weightedmean_pooling_backward, [(8, 7)]
    ),
}


def draw_arguments(operation, dtype=np.float64, seed=3):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in operation.shapes]


def run_backward(operation, dy, cache):
    """The gradients as a list, whether the backward returns one or several."""
    gradients = operation.backward(dy, cache)
    return list(gradients) if isinstance(gradients, tuple) else [gradients]


every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def test_every_operation_of_the_package_is_in_this_table():
    modules = [
        importlib.import_module(f"minitransformer.ops.{module.name}")
        for module in pkgutil.iter_modules(minitransformer.ops.__path__)
    ]
    forwards = {name for module in modules for name in vars(module) if name.endswith("_forward")}
    assert forwards == {f"{name.split(',')[0]}_forward" for name in OPERATIONS}


@every_operation
def test_gradients_equal_central_differences(operation):
    assert_operation_gradients(operation.forward, operation.backward, *draw_arguments(operation))


@every_operation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_that_comes_in_goes_out(operation, dtype):
    y, cache = operation.forward(*draw_arguments(operation, dtype))
    gradients = run_backward(operation, upstream(y), cache)
    assert y.dtype == dtype
    assert {gradient.dtype for gradient in gradients} == {np.dtype(dtype)}


@every_operation
def test_float32_gives_float64s_result_to_its_own_accuracy(operation):
    in_float32 = draw_arguments(operation, np.float32)
    y, cache = operation.forward(*in_float32)
    exact_y, exact_cache = operation.forward(*[argument.astype(np.float64) for argument in in_float32])
    np.testing.assert_allclose(y, exact_y, rtol=1e-5, atol=1e-6)
    gradients = run_backward(operation, upstream(y), cache)
    exact_gradients = run_backward(operation, upstream(y).astype(np.float64), exact_cache)
    for gradient, exact in zip(gradients, exact_gradients, strict=True):
        np.testing.assert_allclose(gradient, exact, rtol=1e-5, atol=5e-6)


@every_operation
def test_arguments_and_upstream_gradient_are_not_changed(operation):
    arguments = draw_arguments(operation)
    y, cache = operation.forward(*arguments)
    dy = upstream(y)
    operation.backward(dy, cache)
    for argument, before in zip(arguments, draw_arguments(operation), strict=True):
        np.testing.assert_array_equal(argument, before)
    np.testing.assert_array_equal(dy, upstream(y))


@every_operation
def test_a_second_backward_with_the_same_cache_gives_the_same_gradients(operation):
    y, cache = operation.forward(*draw_arguments(operation))
    dy = upstream(y)
    first = [gradient.copy() for gradient in run_backward(operation, dy, cache)]
    for gradient, again in zip(first, run_backward(operation, dy, cache), strict=True):
        np.testing.assert_array_equal(gradient, again)


@every_operation
def test_a_second_forward_leaves_the_first_ones_cache_alone(operation):
    y, cache = operation.forward(*draw_arguments(operation))
    expected = [gradient.copy() for gradient in run_backward(operation, upstream(y), cache)]
    y, cache = operation.forward(*draw_arguments(operation))
    operation.forward(*draw_arguments(operation, seed=4))
    for gradient, alone in zip(run_backward(operation, upstream(y), cache), expected, strict=True):
        np.testing.assert_array_equal(gradient, alone)


@every_operation
def test_the_order_of_the_arrays_in_memory_does_not_matter(operation):
    """Slices and transposes come in too: here every array has its columns, not its rows, contiguous."""
    arguments = draw_arguments(operation)
    y, cache = operation.forward(*arguments)
    other_y, other_cache = operation.forward(*[np.asfortranarray(argument) for argument in arguments])
    np.testing.assert_allclose(other_y, y, rtol=1e-12, atol=1e-14)
    dy = upstream(y)
    gradients = run_backward(operation, dy, cache)
    others = run_backward(operation, np.asfortranarray(dy), other_cache)
    for gradient, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(other, gradient, rtol=1e-12, atol=1e-14)
