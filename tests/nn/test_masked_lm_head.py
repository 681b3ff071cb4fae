import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.masked_lm_head import MaskedLMHead
from minitransformer.nn.module import Module
from tests.gradient_check import upstream
from tests.small_models import randomise


class TokenAndHead(Module):
    def __init__(self):
        self.token = Embedding(11, 6)
        self.head = MaskedLMHead(self.token, "gelu", 1e-12, 0.02)


def test_the_table_is_the_embeddings_own_and_gets_the_gradients_of_both_uses():
    model = randomise(TokenAndHead().initialise(dtype=np.float64))
    assert model.head.decoder.table is model.token.table
    ids = np.array([4, 4, 7])

    def gradient_of_table(*backwards):
        model.zero_grad()
        for backward in backwards:
            backward()
        return model.token.table.grad.copy()

    rows, lookup = model.token.forward(ids)
    logits, scores = model.head.forward(rows)
    by_lookup = gradient_of_table(lambda: model.token.backward(upstream(rows), lookup))
    by_scores = gradient_of_table(lambda: model.head.backward(upstream(logits), scores))
    by_both = gradient_of_table(
        lambda: model.head.backward(upstream(logits), scores), lambda: model.token.backward(upstream(rows), lookup)
    )
    assert np.flatnonzero(by_lookup.any(axis=1)).tolist() == [4, 7]
    assert by_scores.all()
    np.testing.assert_allclose(by_both, by_lookup + by_scores, rtol=1e-12)


def test_no_masked_rows_give_no_logits_and_no_gradient():
    model = randomise(TokenAndHead().initialise(dtype=np.float64))
    logits, cache = model.head.forward(np.zeros((0, 6)))
    assert logits.shape == (0, 11)
    assert model.head.backward(logits, cache).shape == (0, 6)
    assert not model.storage.gradients.any()
