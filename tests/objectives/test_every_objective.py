"""What must hold of every objective: its gradients, its dtypes, and that both towers may be one batch or two calls."""

import copy
import importlib
import pkgutil

import numpy as np
import pytest

import minitransformer.objectives
from minitransformer import Bert, BertConfig, PackedTokens
from minitransformer.batches.pair_targets import PairTargets
from minitransformer.nn.module import Module
from minitransformer.nn.pair_scores import DotProduct, ScaledCosine
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.cosent import CosentObjective
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.objectives.triplet import TripletObjective
from minitransformer.objectives.two_way_softmax import TwoWaySoftmaxObjective
from minitransformer.ops.negative_weights import WEIGHTS
from minitransformer.ops.pair_features import CONCATENATIONS
from tests.gradient_check import assert_close, assert_gradient

S, H = 5, 4
SCORES = np.array([0.2, 1, 0, 0.2, 0.7])
LABELS = np.array([2, 0, 2, 1, 2])


def classification(components, dtype=np.float64):
    return ClassificationObjective(H, num_labels=3, components=components, init_std=0.5).initialise(3, dtype)


def scaled_cosine(dtype=np.float64):
    return ScaledCosine(scale=3.0, bias=-0.5).initialise(0, dtype)


# Products 0 and 3 are one and the same, and query 1 has bought product 2 as well.
SOME_NEGATIVES = ~np.eye(S, dtype=bool)
SOME_NEGATIVES[[0, 3, 1], [3, 0, 2]] = False
PAIR_TARGETS = PairTargets(SOME_NEGATIVES, np.log([0.1, 0.2, 0.3, 0.1, 0.3]), np.log([0.4, 0.1, 0.1, 0.4, 0.2]))

OBJECTIVES = {  # the objective, how many texts an example has, the targets
    **{
        f"classification ({','.join(components)})": (classification(components), 2, LABELS)
        for components in CONCATENATIONS
    },
    "regression": (RegressionObjective(), 2, SCORES),
    "cosent": (CosentObjective(), 2, SCORES),
    "triplet": (TripletObjective(), 3, None),
    "ranking": (RankingObjective(), 2, None),
    "ranking, hard negatives": (RankingObjective(), 3, None),
    "ranking, symmetric": (RankingObjective(symmetric=True), 2, None),
    "ranking, symmetric, hard negatives, equal texts": (
        RankingObjective(symmetric=True),
        3,
        np.array([[0, 1, 2, 0, 3], [4, 5, 5, 6, 7], [8, 9, 4, 3, 10]]),
    ),
    **{  # with the gradient stopped at the weights, central differences see another function: see its own tests
        f"in_batch_negatives, {weights} weights": (
            InBatchNegativesObjective(scaled_cosine(), weights, "through", lambda_negatives=1.7, temperature=0.6),
            2,
            PAIR_TARGETS,
        )
        for weights in WEIGHTS
    },
    "in_batch_negatives, dot product": (InBatchNegativesObjective(DotProduct(), "relu", "through"), 2, None),
    "two_way_softmax": (TwoWaySoftmaxObjective(scaled_cosine()), 2, None),
    "two_way_softmax, logQ": (TwoWaySoftmaxObjective(scaled_cosine(), log_q=True), 2, PAIR_TARGETS),
}

every_objective = pytest.mark.parametrize(
    ("objective", "num_texts", "targets"), OBJECTIVES.values(), ids=OBJECTIVES.keys()
)


def in_float32(objective):
    objective = copy.deepcopy(objective)
    if isinstance(objective, Module) and objective.is_trained:
        objective.initialise(3, np.float32)
    return objective


def draw_embeddings(num_texts, dtype=np.float64):
    return tuple(np.random.default_rng(3).normal(size=(num_texts, S, H)).astype(dtype))


def assert_loss_gradient(found, objective, embeddings, targets, x, name):
    """Compare a gradient of x with central differences of the loss, which is one number: its own gradient is 1."""
    assert_gradient(found, lambda: np.asarray(objective.forward(embeddings, targets)[0]), x, np.ones(()), name)


def test_every_objective_of_the_package_is_in_this_table():
    files = {module.name for module in pkgutil.iter_modules(minitransformer.objectives.__path__)}
    files -= {"objective", "row_prediction", "smoothed_prediction"}  # the face of those on embeddings; those on rows
    assert files == {name.split()[0].rstrip(",") for name in OBJECTIVES}
    for name in files:
        importlib.import_module(f"minitransformer.objectives.{name}")


@every_objective
def test_gradients_of_the_embeddings_equal_central_differences(objective, num_texts, targets):
    embeddings = draw_embeddings(num_texts)
    _, cache = objective.forward(embeddings, targets)
    if isinstance(objective, Module):
        objective.zero_grad()
    for i, gradient in enumerate(objective.backward(cache)):
        assert_loss_gradient(gradient, objective, embeddings, targets, embeddings[i], f"text {i}")


@every_objective
def test_gradients_of_what_the_objective_learns_equal_central_differences(objective, num_texts, targets):
    """A classifier, or the scale and the bias of a score."""
    if not isinstance(objective, Module):
        return
    embeddings = draw_embeddings(num_texts)
    _, cache = objective.forward(embeddings, targets)
    objective.zero_grad()
    objective.backward(cache)
    for name, parameter in objective.named_parameters():
        assert_loss_gradient(parameter.grad, objective, embeddings, targets, parameter.value, name)


@every_objective
def test_embeddings_in_float32_have_gradients_in_float32(objective, num_texts, targets):
    objective = in_float32(objective)
    loss, cache = objective.forward(draw_embeddings(num_texts, np.float32), targets)
    assert isinstance(loss, float)
    assert {gradient.dtype for gradient in objective.backward(cache)} == {np.dtype(np.float32)}


def test_the_classifier_gives_logits_for_inference():
    objective, embeddings = classification(("u", "v", "|u-v|")), draw_embeddings(2)
    logits = objective(embeddings)
    assert logits.shape == (S, 3)
    loss, _ = objective.forward(embeddings, LABELS)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(loss, -log_probabilities[np.arange(S), LABELS].mean(), rtol=1e-12)


def test_an_unknown_component_is_refused_by_name():
    with pytest.raises(ValueError, match=r"components must be some of .* found \('u', 'w'\)"):
        ClassificationObjective(H, num_labels=3, components=("u", "w"))


# The encoder of the next tests is BERT with its pooler, small and without dropout.

LEFT = [[2, 17, 8, 3], [2, 9, 3], [2, 11, 12, 13, 3], [2, 5, 3], [2, 30, 31, 3]]
RIGHT = [[2, 18, 3], [2, 9, 3], [2, 21, 22, 3], [2, 5, 6, 7, 8, 3], [2, 14, 3]]
ALSO = [[2, 25, 26, 3], [2, 10, 3], [2, 6, 3], [2, 7, 7, 3], [2, 28, 3]]


def small_bert():
    config = BertConfig(
        vocab_size=40, hidden_size=H, num_hidden_layers=2, num_attention_heads=2, intermediate_size=6,
        max_position_embeddings=8, initializer_range=0.5,
    )  # fmt: skip
    return Bert(config, seed=1, dtype=np.float64)


@every_objective
def test_one_batch_through_the_encoder_gives_the_gradients_of_a_call_for_each_text(objective, num_texts, targets):
    texts = [LEFT, RIGHT, ALSO][:num_texts]
    encoder = small_bert()

    def encode(sentences):
        (hidden, pooled), cache = encoder.forward(PackedTokens.pack(sentences))
        return pooled, lambda d_pooled: encoder.backward(np.zeros_like(hidden), d_pooled, cache)

    encoder.zero_grad()
    pooled, backward = encode([sentence for column in texts for sentence in column])
    loss, cache = objective.forward(tuple(np.split(pooled, num_texts)), targets)
    backward(np.concatenate(objective.backward(cache)))
    in_one_batch = encoder.storage.gradients.copy()

    encoder.zero_grad()
    towers = [encode(column) for column in texts]
    two_calls_loss, cache = objective.forward(tuple(pooled for pooled, _ in towers), targets)
    for (_, backward), d_pooled in zip(towers, objective.backward(cache), strict=True):
        backward(d_pooled)

    np.testing.assert_allclose(two_calls_loss, loss, rtol=1e-12)
    assert_close(encoder.storage.gradients, in_one_batch, "the encoder")
