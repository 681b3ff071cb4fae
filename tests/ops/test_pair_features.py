import numpy as np
import pytest

from minitransformer.ops.pair_features import CONCATENATIONS, pair_features_backward, pair_features_forward
from tests.gradient_check import assert_operation_gradients


def test_a_pair_worked_out_by_hand():
    """u = (1, 5), v = (3, 2): |u - v| = (2, 3), u * v = (3, 10). With dy all 1, sign(u - v) = (-1, 1), so

    du = 1 + sign(u - v) + v = (3, 4),   dv = 1 - sign(u - v) + u = (3, 5)
    """
    y, cache = pair_features_forward(np.array([[1.0, 5]]), np.array([[3.0, 2]]), ("u", "v", "|u-v|", "u*v"))
    assert y.tolist() == [[1, 5, 3, 2, 2, 3, 3, 10]]
    du, dv = pair_features_backward(np.ones((1, 8)), cache)
    assert du.tolist() == [[3, 4]]
    assert dv.tolist() == [[3, 5]]


@pytest.mark.parametrize("components", CONCATENATIONS, ids=",".join)
def test_gradients_of_each_concatenation_equal_central_differences(components):
    u, v = np.random.default_rng(4).normal(size=(2, 3, 5))
    assert_operation_gradients(lambda u, v: pair_features_forward(u, v, components), pair_features_backward, u, v)


def test_there_are_the_seven_concatenations_of_table_6():
    assert len(set(CONCATENATIONS)) == 7


def test_equal_embeddings_send_nothing_back_through_their_difference():
    u = np.random.default_rng(5).normal(size=(3, 4))
    _, cache = pair_features_forward(u, u, ("|u-v|",))
    du, dv = pair_features_backward(np.ones((3, 4)), cache)
    assert not du.any()
    assert not dv.any()
