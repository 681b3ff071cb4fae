"""Two towers' own loss. With weights that are learnt from, its gradients are tested in test_every_objective.py."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from minitransformer import UserError
from minitransformer.nn.pair_scores import DotProduct, ScaledCosine
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.ops.in_batch_loss import in_batch_loss_forward
from minitransformer.ops.negative_weights import WEIGHTS
from tests.gradient_check import assert_gradient

QUERIES, PRODUCTS = np.random.default_rng(5).normal(size=(2, 4, 3))


def slope_at(s, weights, weight_gradient):
    """d loss / d s of a wrong pair whose score is s.

    The queries are (1, 0) and (0, 1), so that with the dot product a product's numbers are its scores with them. With
    two queries each has one wrong product, and the mean over the queries is half of the sum.
    """
    products = np.array([[9.0, 9], [s, 9]])
    objective = InBatchNegativesObjective(DotProduct(), weights, weight_gradient)
    _, cache = objective.forward((np.eye(2), products))
    return 2 * objective.backward(cache)[1][1, 0]


@pytest.mark.parametrize("s", [-3.0, -1.2, -0.4, 0.7, 2.0])
def test_the_slopes_of_identity_weights_are_those_that_one_derives_by_hand(s):
    """With w = s a constant, d(w softplus(s))/ds = s sigmoid(s). Through w, s softplus(s) has softplus(s) more."""
    assert slope_at(s, "identity", "stop") == pytest.approx(s * expit(s))
    assert slope_at(s, "identity", "through") == pytest.approx(s * expit(s) + np.log1p(np.exp(s)))


def test_identity_weights_let_a_wrong_pair_come_to_rest_at_0_or_at_minus_1_1446():
    """Where the slope goes from - to +: below it the pair is pulled up, above it it is pushed down.

    As constants, the weights pull a wrong pair with a negative score UP to a right angle. Through the weights, the loss
    s softplus(s) has its lowest value, -0.3163, at -1.1446.
    """
    below, at_0, above = (slope_at(s, "identity", "stop") for s in (-0.01, 0.0, 0.01))
    assert below < 0 == at_0 < above
    at_rest = brentq(lambda s: slope_at(s, "identity", "through"), -3, 3)
    assert at_rest == pytest.approx(-1.1446, abs=5e-5)
    assert at_rest * np.log1p(np.exp(at_rest)) == pytest.approx(-0.3163, abs=5e-5)
    assert slope_at(-1.2, "identity", "through") < 0 < slope_at(-1.1, "identity", "through")


def test_the_weights_of_scaled_cosines_are_the_cosines_so_that_rest_is_at_a_right_angle_whatever_the_bias():
    """Weights of the scores would pull a wrong pair up to the cosine at which the score is 0: here, to 1/2."""
    queries = np.eye(2)
    objective = InBatchNegativesObjective(ScaledCosine(scale=10.0, bias=-5.0).initialise(0, np.float64), "identity")
    weights = []
    for cosine in (-0.1, 0.0, 0.1):
        products = np.array([[1, 1], [cosine, np.sqrt(1 - cosine**2)]])
        _, cache = objective.forward((queries, products))
        weights.append(cache.weights.weights[0, 1])
    np.testing.assert_allclose(weights, [-0.1, 0, 0.1], atol=1e-15)


@pytest.mark.parametrize("weights", [weights for weights in WEIGHTS if weights != "identity"])
def test_no_other_weights_ever_pull_a_wrong_pair_up(weights):
    assert all(slope_at(s, weights, "stop") >= 0 for s in np.linspace(-4, 4, 81))


def test_relu_weights_leave_a_wrong_pair_alone_once_it_is_beyond_a_right_angle():
    assert slope_at(-0.1, "relu", "stop") == slope_at(-0.1, "relu", "through") == 0 < slope_at(0.1, "relu", "stop")


@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_stopped_gradient_is_that_of_the_loss_with_the_weights_as_constants(weights):
    objective = InBatchNegativesObjective(DotProduct(), weights, temperature=0.6)
    _, cache = objective.forward((QUERIES, PRODUCTS))
    constant = cache.weights.weights

    def loss():
        negatives = ~np.eye(4, dtype=bool)
        return np.asarray(in_batch_loss_forward(QUERIES @ PRODUCTS.T, constant, negatives)[0].mean())

    d_queries, d_products = objective.backward(cache)
    assert_gradient(d_queries, loss, QUERIES, np.ones(()), "queries")
    assert_gradient(d_products, loss, PRODUCTS, np.ones(()), "products")


def test_equal_weights_have_no_gradient_to_stop():
    gradients = []
    for weight_gradient in ("stop", "through"):
        objective = InBatchNegativesObjective(DotProduct(), "equal", weight_gradient)
        gradients.append(np.stack(objective.backward(objective.forward((QUERIES, PRODUCTS))[1])))
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("setting", [{"weights": "identidad"}, {"weight_gradient": "both"}, {"reduction": "max"}])
def test_an_unknown_setting_is_refused_by_name(setting):
    [(name, given)] = setting.items()
    with pytest.raises(UserError, match=f"{name} must be one of .*; found '{given}'"):
        InBatchNegativesObjective(DotProduct(), **setting)
