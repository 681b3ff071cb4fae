from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.language_modelling import LanguageModellingBatch, WindowSampler, windows_in_order
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens


def windows(batch):
    return [ids.tolist() for ids in batch.tokens.unpack(batch.tokens.token_ids)]


def predictions(batches):
    """(token, the one that it predicts), of all windows."""
    return [pair for batch in batches for ids in windows(batch) for pair in pairwise(ids)]


def test_windows_in_order_overlap_by_the_token_that_predicts_nothing():
    batches = [*windows_in_order(np.arange(10), batch_size=2, max_length=4)]
    assert [windows(batch) for batch in batches] == [[[0, 1, 2, 3], [3, 4, 5, 6]], [[6, 7, 8, 9]]]
    assert [batch.counts for batch in batches] == [6, 3]
    assert batches[0].tokens.position_ids.tolist() == [0, 1, 2, 3] * 2


@given(st.integers(2, 60), st.integers(2, 20), st.integers(1, 9))
def test_in_order_each_token_but_the_first_is_predicted_once(num_tokens, max_length, batch_size):
    batches = [*windows_in_order(np.arange(num_tokens), batch_size, max_length)]
    assert predictions(batches) == [(i, i + 1) for i in range(num_tokens - 1)]
    assert max(batch.lengths.max() for batch in batches) <= max_length


@given(st.integers(2, 60), st.integers(2, 20), st.integers(1, 9), st.integers(0, 5))
def test_in_an_epoch_each_token_is_predicted_once_by_the_one_before_it(num_tokens, max_length, batch_size, epoch):
    """The first token is predicted by the last one: the text is a ring."""
    if max_length > num_tokens:
        return
    sampler = WindowSampler(np.arange(num_tokens), batch_size, max_length)
    steps = range(epoch * sampler.steps_per_epoch, (epoch + 1) * sampler.steps_per_epoch)
    batches = [sampler.batch(step) for step in steps]
    assert sorted(predictions(batches)) == sorted((i, (i + 1) % num_tokens) for i in range(num_tokens))
    assert max(batch.lengths.max() for batch in batches) <= max_length


def test_a_batch_depends_on_the_seed_and_the_step_alone():
    ids = np.arange(100)
    sampler = WindowSampler(ids, 3, 8, seed=1)
    there_and_back = [windows(sampler.batch(step)) for step in (9, 2, 9)]
    assert there_and_back[0] == there_and_back[2] == windows(WindowSampler(ids, 3, 8, seed=1).batch(9))
    assert there_and_back[0] != windows(WindowSampler(ids, 3, 8, seed=2).batch(9))


def test_epochs_cut_the_text_at_other_places_and_deal_it_out_in_another_order():
    sampler = WindowSampler(np.arange(100), 100, 11)
    first, second = (windows(sampler.batch(epoch)) for epoch in range(2))
    assert sampler.steps_per_epoch == 1
    assert {window[0] for window in first} != {window[0] for window in second}
    assert first != sorted(first)


def test_shards_have_the_batchs_sequences_and_its_count_is_that_of_the_predictions():
    batch = LanguageModellingBatch(PackedTokens.pack([[1, 2, 3], [4], [5, 6]]))
    assert batch.counts == 3
    assert windows(batch.select([2, 0])) == [[5, 6], [1, 2, 3]]
    assert batch.select([1]).counts == 0
    assert batch.inputs == (batch.tokens,)


@pytest.mark.parametrize(
    ("num_tokens", "max_length", "words"),
    [(5, 6, "the text to train on has 5 tokens, but max_length is 6"), (5, 1, "max_length is 1, but a token and the")],
)
def test_a_text_shorter_than_a_window_is_refused(num_tokens, max_length, words):
    with pytest.raises(UserError, match=words):
        WindowSampler(np.arange(num_tokens), 1, max_length)
