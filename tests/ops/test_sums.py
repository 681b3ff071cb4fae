import numpy as np
import pytest

from minitransformer.ops.sums import column_sums, row_means, row_sums


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-15)])
def test_sums_and_means_are_numpys(dtype, tolerance):
    x = np.random.default_rng(1).normal(size=(5, 7)).astype(dtype)
    stack = np.random.default_rng(2).normal(size=(2, 3, 5, 7)).astype(dtype)
    for found, expected in [
        (column_sums(x), x.sum(axis=0)),
        (row_means(x), x.mean(axis=1, keepdims=True)),
        (row_sums(stack), stack.sum(axis=-1, keepdims=True)),
    ]:
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=10 * tolerance, atol=tolerance)
