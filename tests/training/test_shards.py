from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.training.shards import equal_shards, sum_of_shares

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60).map(np.array)


@given(LENGTHS, st.integers(1, 8))
def test_every_sentence_is_in_one_shard_and_shards_ascend_in_length(lengths, count):
    shards = equal_shards(lengths, count)
    assert 1 <= len(shards) <= count
    assert sorted(np.concatenate(shards)) == list(range(len(lengths)))
    assert (np.diff(lengths[np.concatenate(shards)]) >= 0).all()


@given(LENGTHS, st.integers(1, 8))
def test_no_shard_has_more_than_its_share_of_tokens_and_one_sentence(lengths, count):
    for shard in equal_shards(lengths, count):
        assert len(shard)
        assert lengths[shard].sum() <= lengths.sum() / count + lengths.max()


class Shares(NamedTuple):
    loss: float
    accuracy: float


def test_shares_are_added_up_metric_by_metric_and_stay_of_their_kind():
    total = sum_of_shares([Shares(0.5, 0.25), Shares(1.0, 0.125), Shares(0.25, 0.5)])
    assert total == Shares(loss=1.75, accuracy=0.875)
    assert isinstance(total, Shares)
