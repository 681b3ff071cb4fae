import numpy as np
import pytest

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead
from minitransformer.objectives.row_prediction import row_prediction_backward, row_prediction_forward
from minitransformer.objectives.smoothed_prediction import smoothed_prediction_backward, smoothed_prediction_forward
from tests.gradient_check import assert_gradient, assert_parameter_gradients
from tests.small_models import randomise

V, H = 7, 4
IDS = np.array([6, 2, 2])
SMOOTHING = 0.2


@pytest.fixture
def head():
    return randomise(BiasedVocabularyHead(Embedding(V, H)).initialise(dtype=np.float64))


@pytest.fixture
def x():
    return np.random.default_rng(3).normal(size=(3, H))


def test_without_smoothing_it_is_row_prediction_of_all_rows(head, x):
    plain, cache = row_prediction_forward(head, x, np.arange(3), IDS)
    found, smoothed_cache = smoothed_prediction_forward(head, x, IDS, 0.0)
    assert found == pytest.approx((plain.loss, plain.loss, plain.accuracy), rel=1e-12)
    dx = smoothed_prediction_backward(head, smoothed_cache)
    np.testing.assert_allclose(dx, row_prediction_backward(head, cache), rtol=1e-12)


def test_the_plain_loss_stands_beside_the_smoothed_one(head, x):
    plain, _ = row_prediction_forward(head, x, np.arange(3), IDS)
    found, _ = smoothed_prediction_forward(head, x, IDS, SMOOTHING)
    assert found.nats_per_token == pytest.approx(plain.loss)
    assert found.total != pytest.approx(plain.loss, rel=1e-3)
    assert {type(number) for number in found} == {float}


def test_gradients_equal_central_differences(head, x):
    _, cache = smoothed_prediction_forward(head, x, IDS, SMOOTHING)
    dx = smoothed_prediction_backward(head, cache)

    def loss():
        return np.array(smoothed_prediction_forward(head, x, IDS, SMOOTHING)[0].total)

    assert_gradient(dx, loss, x, np.ones(()), "x")
    assert_parameter_gradients(head, loss)


def test_shards_of_a_step_add_up_to_the_step(head, x):
    whole, cache = smoothed_prediction_forward(head, x, IDS, SMOOTHING)
    dx = smoothed_prediction_backward(head, cache)
    shards = [smoothed_prediction_forward(head, x[part], IDS[part], SMOOTHING, 3) for part in ([0], [1, 2])]
    np.testing.assert_allclose(np.sum([result for result, _ in shards], axis=0), whole, rtol=1e-12)
    parts = [smoothed_prediction_backward(head, cache) for _, cache in shards]
    np.testing.assert_allclose(np.concatenate(parts), dx, rtol=1e-12, atol=1e-15)


def test_without_rows_all_is_0(head):
    found, cache = smoothed_prediction_forward(head, np.zeros((0, H)), np.zeros(0, int), SMOOTHING)
    assert found == (0, 0, 0)
    assert smoothed_prediction_backward(head, cache).shape == (0, H)
