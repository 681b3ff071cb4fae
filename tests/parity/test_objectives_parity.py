"""The objectives against PyTorch's autograd on the same numbers.

The formulas are written out here rather than taken from sentence-transformers, some of whose versions compute the
triplet loss from minus the distance.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from minitransformer.batches.pair_targets import PairTargets
from minitransformer.nn.pair_scores import DotProduct, ScaledCosine
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.cosent import CosentObjective
from minitransformer.objectives.in_batch_negatives import WEIGHT_GRADIENTS, InBatchNegativesObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.objectives.triplet import TripletObjective
from minitransformer.objectives.two_way_softmax import TwoWaySoftmaxObjective
from minitransformer.ops.negative_weights import WEIGHTS
from minitransformer.ops.pair_features import CONCATENATIONS

S, H = 9, 6
SCORES = np.array([0.2, 1, 0, 0.2, 0.7, 0.9, 0.4, 0.4, 0.1])
LABELS = np.array([2, 0, 2, 1, 2, 0, 0, 1, 1])


def assert_equals_pytorch(objective, torch_loss, num_texts, targets):
    """The loss is PyTorch's, and so is the gradient of each text's embeddings."""
    embeddings = tuple(np.random.default_rng(5).normal(size=(num_texts, S, H)))
    tensors = [torch.tensor(embedding, requires_grad=True) for embedding in embeddings]
    expected = torch_loss(*tensors)
    expected.backward()
    loss, cache = objective.forward(embeddings, targets)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    for gradient, tensor in zip(objective.backward(cache), tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("components", CONCATENATIONS, ids=",".join)
def test_classification_equals_pytorch_with_the_classifiers_gradients(components):
    objective = ClassificationObjective(H, 3, components, init_std=0.5).initialise(1, np.float64)
    weight = torch.tensor(objective.classifier.weight.value, requires_grad=True)
    bias = torch.tensor(objective.classifier.bias.value, requires_grad=True)

    def torch_loss(u, v):
        parts = {"u": u, "v": v, "|u-v|": (u - v).abs(), "u*v": u * v}
        logits = torch.cat([parts[name] for name in components], dim=1) @ weight + bias
        return F.cross_entropy(logits, torch.tensor(LABELS))

    objective.zero_grad()
    assert_equals_pytorch(objective, torch_loss, 2, LABELS)
    np.testing.assert_allclose(objective.classifier.weight.grad, weight.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(objective.classifier.bias.grad, bias.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_regression_equals_pytorch():
    assert_equals_pytorch(
        RegressionObjective(), lambda u, v: F.mse_loss(F.cosine_similarity(u, v), torch.tensor(SCORES)), 2, SCORES
    )


def test_cosent_equals_pytorch():
    def torch_loss(u, v):
        cosines = 20 * F.cosine_similarity(u, v)
        i, j = np.nonzero(SCORES[:, None] > SCORES)
        return torch.logsumexp(torch.cat([torch.zeros(1), cosines[j] - cosines[i]]), dim=0)

    assert_equals_pytorch(CosentObjective(), torch_loss, 2, SCORES)


def test_triplet_equals_pytorch():
    assert_equals_pytorch(
        TripletObjective(), lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=1.0, eps=0.0), 3, None
    )


@pytest.mark.parametrize("num_texts", [2, 3])
@pytest.mark.parametrize("symmetric", [False, True])
def test_ranking_equals_pytorch(num_texts, symmetric):
    def torch_loss(anchors, *candidates):
        scores = 20 * F.normalize(anchors) @ F.normalize(torch.cat(candidates)).T
        own = torch.arange(S)
        forwards = F.cross_entropy(scores, own)
        return (forwards + F.cross_entropy(scores[:, :S].T, own)) / 2 if symmetric else forwards

    assert_equals_pytorch(RankingObjective(symmetric=symmetric), torch_loss, num_texts, None)


def test_ranking_with_equal_texts_equals_pytorch_with_minus_infinity():
    text_ids = np.array([np.arange(S), [10, 11, 10, 13, 14, 3, 16, 17, 18]])

    def torch_loss(anchors, positives):
        scores = 20 * F.normalize(anchors) @ F.normalize(positives).T
        scores[0, 2] = scores[2, 0] = scores[3, 5] = float("-inf")  # 10 twice; anchor 3 is the positive of anchor 5
        return F.cross_entropy(scores, torch.arange(S))

    assert_equals_pytorch(RankingObjective(), torch_loss, 2, text_ids)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("num_negatives", [1, 4, 12])
def test_ranking_with_any_number_of_hard_negatives_equals_pytorch(symmetric, num_negatives):
    embeddings = tuple(np.random.default_rng(5).normal(size=(size, H)) for size in (S, S, num_negatives))
    tensors = [torch.tensor(embedding, requires_grad=True) for embedding in embeddings]
    text_ids = np.split(np.arange(2 * S + num_negatives), [S, 2 * S])
    text_ids[2][0] = text_ids[0][4]  # the first negative is anchor 4 itself
    anchors, positives, negatives = tensors
    scores = 20 * F.normalize(anchors) @ F.normalize(torch.cat([positives, negatives])).T
    allowed = torch.ones_like(scores, dtype=torch.bool)
    allowed[4, S] = False
    own = torch.arange(S)
    expected = F.cross_entropy(torch.where(allowed, scores, float("-inf")), own)
    if symmetric:
        expected = (expected + F.cross_entropy(scores[:, :S].T, own)) / 2
    expected.backward()
    objective = RankingObjective(symmetric=symmetric)
    loss, cache = objective.forward(embeddings, text_ids)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    for gradient, tensor in zip(objective.backward(cache), tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


NEGATIVES = ~np.eye(S, dtype=bool)
NEGATIVES[[0, 3, 1], [3, 0, 2]] = False
PAIR_TARGETS = PairTargets(NEGATIVES, *np.log(np.random.default_rng(6).uniform(0.1, 1, size=(2, S))))


def torch_weights(scores, kind, temperature):
    wrong = torch.tensor(NEGATIVES)
    softmax = F.softmax((scores / temperature).masked_fill(~wrong, -torch.inf), dim=1)
    weights = {
        "equal": torch.ones_like(scores),
        "identity": scores,
        "sigmoid": scores.sigmoid(),
        "relu": scores.relu(),
        "softmax": softmax * wrong.sum(dim=1, keepdim=True),
    }
    return weights[kind] * wrong


@pytest.mark.parametrize("weight_gradient", WEIGHT_GRADIENTS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_in_batch_negatives_equal_pytorch_with_the_gradient_stopped_or_not(weights, weight_gradient):
    def torch_loss(queries, products):
        scores, wrong = queries @ products.T, torch.tensor(NEGATIVES)
        found = torch_weights(scores, weights, 0.6)
        found = found.detach() if weight_gradient == "stop" else found
        right = F.binary_cross_entropy_with_logits(scores.diag(), torch.ones(S, dtype=torch.float64))
        of_pairs = F.binary_cross_entropy_with_logits(scores, torch.zeros_like(scores), reduction="none")
        return right + 1.7 * ((found * of_pairs).sum(dim=1) / wrong.sum(dim=1)).mean()

    assert_equals_pytorch(
        InBatchNegativesObjective(DotProduct(), weights, weight_gradient, 1.7, 0.6), torch_loss, 2, PAIR_TARGETS
    )


@pytest.mark.parametrize("log_q", [False, True])
def test_two_way_softmax_of_scaled_cosines_equals_pytorch_with_the_scales_gradient(log_q):
    objective = TwoWaySoftmaxObjective(ScaledCosine(scale=7.0).initialise(0, np.float64), log_q)
    log_scale = torch.tensor(objective.score.log_scale.value, requires_grad=True)

    def torch_loss(queries, products):
        scores = log_scale.exp() * F.cosine_similarity(queries[:, None], products[None], dim=2)
        of_queries, of_products = (torch.tensor(log) * log_q for log in PAIR_TARGETS[1:])
        own, left_out = torch.arange(S), torch.tensor(~NEGATIVES & ~np.eye(S, dtype=bool))
        rows = (scores - of_products).masked_fill(left_out, -torch.inf)
        columns = (scores - of_queries[:, None]).masked_fill(left_out, -torch.inf)
        return (F.cross_entropy(rows, own) + F.cross_entropy(columns.T, own)) / 2

    objective.zero_grad()
    assert_equals_pytorch(objective, torch_loss, 2, PAIR_TARGETS)
    np.testing.assert_allclose(objective.score.log_scale.grad, log_scale.grad.numpy(), rtol=1e-9, atol=1e-12)
