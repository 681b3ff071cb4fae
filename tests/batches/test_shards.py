from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.shards import ENOUGH_TOKENS, bounded_shards, equal_shards, sum_of_shares

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


@pytest.mark.parametrize(
    ("count", "sentences", "number"),
    [(1, 11, 1), (1, 13, 2), (1, 19, 2), (1, 21, 3), (2, 23, 2), (2, 25, 4), (3, 64, 9)],
)
def test_a_large_batch_is_cut_to_the_nearest_multiple_that_gives_shards_of_1024_tokens(count, sentences, number):
    assert len(bounded_shards(np.full(sentences, 128), count)) == number


@given(st.lists(st.integers(1, 512), min_size=1, max_size=60).map(np.array), st.integers(1, 3))
def test_no_bounded_shard_has_more_than_half_as_much_again_and_a_sentence(lengths, count):
    for shard in bounded_shards(lengths, count):
        assert lengths[shard].sum() <= 1.5 * ENOUGH_TOKENS + lengths.max()


@given(LENGTHS, st.integers(1, 4))
def test_a_batch_of_little_text_is_not_cut_further(lengths, count):
    bounded = bounded_shards(lengths, 3 * count)  # 2,400 tokens at most, for 3 shards or more
    assert list(map(list, bounded)) == list(map(list, equal_shards(lengths, 3 * count)))


class Shares(NamedTuple):
    loss: float
    accuracy: float


def test_shares_are_added_up_metric_by_metric_and_stay_of_their_kind():
    total = sum_of_shares([Shares(0.5, 0.25), Shares(1.0, 0.125), Shares(0.25, 0.5)])
    assert total == Shares(loss=1.75, accuracy=0.875)
    assert isinstance(total, Shares)
