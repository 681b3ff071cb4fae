import numpy as np
import pytest

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead
from minitransformer.objectives.row_prediction import row_prediction_backward, row_prediction_forward
from tests.gradient_check import assert_gradient, assert_parameter_gradients
from tests.small_models import randomise

V, H, N = 7, 4, 6
ROWS, IDS = np.array([4, 0, 3]), np.array([6, 2, 2])


@pytest.fixture
def head():
    return randomise(BiasedVocabularyHead(Embedding(V, H)).initialise(dtype=np.float64))


@pytest.fixture
def x():
    return np.random.default_rng(3).normal(size=(N, H))


def test_the_loss_is_the_mean_surprise_and_the_accuracy_counts_the_highest_scores(head, x):
    logits = x[ROWS] @ head.table.value.T + head.bias.value
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    result, _ = row_prediction_forward(head, x, ROWS, logits.argmax(axis=1) * [1, 1, 0])
    expected = -np.log(probabilities[np.arange(3), logits.argmax(axis=1) * [1, 1, 0]]).mean()
    assert result.loss == pytest.approx(expected, rel=1e-12)
    assert result.accuracy == pytest.approx(2 / 3 if logits[2].argmax() else 1)


def test_gradients_equal_central_differences_and_rows_that_predict_nothing_have_none(head, x):
    _, cache = row_prediction_forward(head, x, ROWS, IDS)
    dx = row_prediction_backward(head, cache)

    def loss():
        return np.array(row_prediction_forward(head, x, ROWS, IDS)[0].loss)

    assert_gradient(dx, loss, x, np.ones(()), "x")
    assert_parameter_gradients(head, loss)
    assert not dx[[1, 2, 5]].any()


def test_shards_of_a_step_add_up_to_the_step(head, x):
    whole, cache = row_prediction_forward(head, x, ROWS, IDS)
    dx = row_prediction_backward(head, cache)
    gradients = head.storage.gradients.copy()
    head.zero_grad()
    shards = [row_prediction_forward(head, x, ROWS[part], IDS[part], of_step=3) for part in ([1], [0, 2])]
    np.testing.assert_allclose(np.sum([result for result, _ in shards], axis=0), whole, rtol=1e-12)
    parts = [row_prediction_backward(head, cache) for _, cache in shards]
    np.testing.assert_allclose(sum(parts), dx, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(head.storage.gradients, gradients, rtol=1e-12)


def test_without_rows_the_loss_is_0_and_so_are_the_gradients(head, x):
    nothing = np.array([], int)
    result, cache = row_prediction_forward(head, x, nothing, nothing)
    assert result == (0, 0)
    assert not row_prediction_backward(head, cache).any()
    assert not head.storage.gradients.any()
