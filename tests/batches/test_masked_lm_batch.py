import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.errors import UserError
from tests.batches.test_pretraining_batch import TOKENS


def batch_with(masked_positions=(1, 4, 5), masked_ids=(15, 16, 17)):
    return MaskedLMBatch(TOKENS, np.array(masked_positions, int), np.array(masked_ids, int))


@given(st.lists(st.integers(0, 2), max_size=5), st.permutations([(1, 15), (4, 16), (5, 17)]))
def test_selected_texts_keep_their_masked_tokens(chosen, masked):
    positions, ids = zip(*masked, strict=True)
    selected = batch_with(positions, ids).select(chosen)
    assert selected.masked_ids.tolist() == [i for s in chosen for i in [[15], [16, 17], []][s]]
    assert selected.tokens.token_ids[selected.masked_positions].tolist() == (selected.masked_ids - 10).tolist()
    assert selected.counts == len(selected.masked_ids)
    assert len(selected) == len(chosen)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"masked_positions": (1, 4, 9)}, "row 9, but the batch has 9 rows"),
        ({"masked_positions": (5, 1, 5)}, "names row 5 2 times"),
        ({"masked_ids": (15, 16)}, "3 masked_positions but 2 masked_ids"),
    ],
)
def test_targets_that_do_not_fit_are_refused_in_words(change, words):
    with pytest.raises(UserError, match=words):
        batch_with(**change)
