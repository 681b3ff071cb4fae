import numpy as np
import pytest

from minitransformer.errors import UserError
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


def test_rows_without_a_token_are_no_answers_but_take_part_in_the_probabilities():
    model = pretraining_model()
    tokens = PackedTokens.pack([[2, MASK, 3]])
    [every] = fill_mask(model, tokens, MASK, top=model.config.vocab_size)
    best = every[0].token_id
    known = np.array([token_id for token_id in range(30) if token_id != best])  # some are beyond the model's rows
    [fillings] = fill_mask(model, tokens, MASK, model.config.vocab_size, known)
    assert fillings == every[1:]


def test_an_answer_that_is_no_number_is_refused_and_the_largest_weight_named():
    model = pretraining_model(np.float32)
    model.mlm_head.norm.gamma.value[...] = 3e38
    with np.errstate(all="ignore"), pytest.raises(UserError, match=r"not a finite number; .* is in mlm_head"):
        fill_mask(model, PackedTokens.pack([[2, MASK, 3]]), MASK)


def test_a_text_without_a_mask_has_no_fillings():
    assert fill_mask(pretraining_model(), PackedTokens.pack([[2, 7, 3]]), MASK) == []
