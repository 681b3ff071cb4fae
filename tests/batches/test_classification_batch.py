import numpy as np
import pytest

from minitransformer.batches.classification_batch import ClassificationBatch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens

TOKENS = PackedTokens.pack([[2, 7, 3], [2, 3], [2, 8, 9, 3]])


def test_a_batch_of_chosen_texts_has_their_tokens_and_targets_and_counts_them_alone():
    batch = ClassificationBatch(TOKENS, np.array([5, 6, 7])).select([2, 0])
    tokens, targets = batch.inputs
    assert tokens.token_ids.tolist() == [2, 8, 9, 3, 2, 7, 3]
    assert targets.tolist() == [7, 5]
    assert batch.lengths.tolist() == [4, 3]
    assert len(batch) == batch.counts == 2


def test_every_text_needs_its_target():
    with pytest.raises(UserError, match="there are 3 texts but 2 targets"):
        ClassificationBatch(TOKENS, np.zeros((2, 4)))
