import numpy as np

from minitransformer.ops.linear import linear_backward, linear_forward
from minitransformer.ops.tied_decoder import tied_decoder_backward, tied_decoder_forward


def test_it_is_a_linear_layer_with_the_table_transposed_as_its_weight():
    rng = np.random.default_rng(1)
    x, table, bias, dlogits = (rng.normal(size=shape) for shape in ((4, 3), (7, 3), (7,), (4, 7)))
    logits, cache = tied_decoder_forward(x, table, bias)
    expected, linear_cache = linear_forward(x, table.T, bias)
    np.testing.assert_allclose(logits, expected, rtol=1e-13)
    dx, dtable, dbias = tied_decoder_backward(dlogits, cache)
    expected_dx, dweight, expected_dbias = linear_backward(dlogits, linear_cache)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-13)
    np.testing.assert_allclose(dtable, dweight.T, rtol=1e-13)
    np.testing.assert_allclose(dbias, expected_dbias, rtol=1e-13)
