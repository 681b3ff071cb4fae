import numpy as np

from minitransformer.ops.mean import mean_backward, mean_forward


def test_parts_of_a_batch_add_up_to_its_mean_and_have_its_gradient():
    x = np.array([3.0, 5, 1, 7])
    whole, cache = mean_forward(x)
    assert whole == 4
    np.testing.assert_array_equal(mean_backward(2.0, cache), [0.5, 0.5, 0.5, 0.5])
    (first, first_cache), (second, _) = mean_forward(x[:1], 4), mean_forward(x[1:], 4)
    assert first + second == 4
    np.testing.assert_array_equal(mean_backward(2.0, first_cache), [0.5])


def test_the_mean_of_nothing_is_0():
    mean, cache = mean_forward(np.zeros(0))
    assert mean == 0
    assert mean_backward(1.0, cache).shape == (0,)
