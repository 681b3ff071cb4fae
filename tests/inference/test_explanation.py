import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.inference.explanation import explain_similarity
from tests.small_encoders import small_encoder

FIRST, SECOND = "my dog is cute", "he likes a b c"


@pytest.mark.parametrize("settings", [{}, {"head": ("normalise",)}, {"pooling": ("mean_sqrt_len",)}])
def test_the_contributions_add_up_to_the_cosine(settings):
    encoder = small_encoder(np.float64, **settings)
    explanation = explain_similarity(encoder, FIRST, SECOND)
    assert explanation.contributions.shape == (6, 7)
    assert explanation.cosine == pytest.approx(encoder.similarity(FIRST, SECOND)[0, 0], rel=1e-12)
    assert explanation.first_tokens == ["[CLS]", "my", "dog", "is", "cute", "[SEP]"]


def test_a_contribution_is_the_product_of_two_rows_by_the_lengths_of_their_sums():
    encoder = small_encoder(np.float64)
    tokens = encoder.tokenize([FIRST, SECOND])
    h, g = tokens.unpack(encoder.encoder(tokens)[0])
    expected = (h[2] @ g[3]) / (np.linalg.norm(h.sum(axis=0)) * np.linalg.norm(g.sum(axis=0)))
    assert explain_similarity(encoder, FIRST, SECOND).contributions[2, 3] == pytest.approx(expected, rel=1e-12)


def test_an_embedding_that_is_no_sum_over_tokens_is_not_explained():
    with pytest.raises(UserError, match="this encoder has max pooling"):
        explain_similarity(small_encoder(pooling=("max",)), FIRST, SECOND)
