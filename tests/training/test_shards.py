from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.training.shards import ENOUGH_TOKENS, equal_shards, small_shards, sum_of_shares

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


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("sentences", [10, 24, 25, 64, 200, 1000])
def test_small_shards_are_as_many_for_each_worker_and_none_is_much_too_large(count, sentences):
    lengths = np.full(sentences, 128)
    shards = small_shards(lengths, count)
    assert len(shards) % count == 0
    assert max(lengths[shard].sum() for shard in shards) <= 1.5 * ENOUGH_TOKENS + 128


@given(LENGTHS, st.integers(1, 4))
def test_a_batch_of_little_text_is_not_cut_further(lengths, count):
    small = small_shards(lengths, 3 * count)  # 2,400 tokens at most, for 3 shards or more
    assert list(map(list, small)) == list(map(list, equal_shards(lengths, 3 * count)))


class Shares(NamedTuple):
    loss: float
    accuracy: float


def test_shares_are_added_up_metric_by_metric_and_stay_of_their_kind():
    total = sum_of_shares([Shares(0.5, 0.25), Shares(1.0, 0.125), Shares(0.25, 0.5)])
    assert total == Shares(loss=1.75, accuracy=0.875)
    assert isinstance(total, Shares)
