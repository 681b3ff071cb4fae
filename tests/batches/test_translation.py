import numpy as np
import pytest

from minitransformer.batches.translation import TranslationBatch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens

SOURCES, TARGETS = PackedTokens.pack([[5, 6], [7], [8, 9, 4]]), PackedTokens.pack([[1], [2, 3], [4]])


def test_a_pair_is_as_long_as_both_its_parts_and_every_target_token_counts():
    batch = TranslationBatch(SOURCES, TARGETS)
    assert len(batch) == 3
    assert batch.lengths.tolist() == [3, 3, 4]
    assert batch.counts == 4


def test_pairs_stay_together():
    chosen = TranslationBatch(SOURCES, TARGETS).select(np.array([2, 1]))
    sources, targets = chosen.inputs
    assert sources.token_ids.tolist() == [8, 9, 4, 7]
    assert targets.token_ids.tolist() == [4, 2, 3]


def test_a_source_without_a_target_is_refused():
    with pytest.raises(UserError, match="there are 3 sources but 2 targets"):
        TranslationBatch(SOURCES, TARGETS.select([0, 1]))
