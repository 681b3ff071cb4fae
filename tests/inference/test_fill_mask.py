import numpy as np
import pytest

from minitransformer.inference.fill_mask import fill_mask
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import pretraining_model

MASK = 4


def test_fillings_are_the_most_probable_tokens_of_each_masked_row_in_order():
    model = pretraining_model()
    tokens = PackedTokens.pack([[2, MASK, 9, 3], [2, 7, 8, MASK, 3]])
    logits, _ = model(tokens)
    fillings = fill_mask(model, tokens, MASK, top=model.config.vocab_size)
    assert len(fillings) == 2
    for row, of_this_mask in zip((1, 7), fillings, strict=True):
        assert [filling.token_id for filling in of_this_mask] == np.argsort(-logits[row]).tolist()
        assert sum(filling.probability for filling in of_this_mask) == pytest.approx(1)
        expected = np.exp(logits[row] - logits[row].max())
        assert of_this_mask[0].probability == pytest.approx(expected.max() / expected.sum())


def test_a_text_without_a_mask_has_no_fillings():
    assert fill_mask(pretraining_model(), PackedTokens.pack([[2, 7, 3]]), MASK) == []
