import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens

TOKENS = PackedTokens.pack([[2, 5, 3], [2, 6, 7, 3], [2, 3]])


def batch_with(masked_positions=(1, 4, 5), masked_ids=(15, 16, 17), is_random_next=(0, 1, 0)):
    return PretrainingBatch(
        TOKENS, np.array(masked_positions, int), np.array(masked_ids, int), np.array(is_random_next)
    )


@given(st.lists(st.integers(0, 2), max_size=5), st.permutations([(1, 15), (4, 16), (5, 17)]))
def test_selected_pairs_keep_their_masked_tokens_and_labels(chosen, masked):
    positions, ids = zip(*masked, strict=True)
    batch = batch_with(masked_positions=positions, masked_ids=ids)
    selected = batch.select(chosen)
    masked_ids_of_sentence = [[15], [16, 17], []]
    assert selected.masked_ids.tolist() == [i for s in chosen for i in masked_ids_of_sentence[s]]
    assert selected.tokens.token_ids[selected.masked_positions].tolist() == (selected.masked_ids - 10).tolist()
    assert selected.is_random_next.tolist() == [[0, 1, 0][s] for s in chosen]
    assert len(selected) == len(chosen)


def test_a_batch_without_masked_tokens_is_allowed():
    assert len(batch_with(masked_positions=(), masked_ids=()).select([2, 0]).masked_positions) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"masked_positions": (1, 4, 9)}, "row 9, but the batch has 9 rows"),
        ({"masked_positions": (9, 1, 4)}, "row 9, but the batch has 9 rows"),
        ({"masked_positions": (5, 1, 5)}, "names row 5 2 times"),
        ({"masked_positions": (1, -100, 5)}, "-100 at entry 1"),
        ({"masked_ids": (15, 16)}, "3 masked_positions but 2 masked_ids"),
        ({"is_random_next": (0, 1)}, "2 entries for 3 sequences"),
        ({"is_random_next": (0, 1, 2)}, "found 2"),
    ],
)
def test_targets_that_do_not_fit_are_refused_in_words(change, words):
    with pytest.raises(UserError, match=words):
        batch_with(**change)
