import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches.epochs import Epochs


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 3))
def test_every_example_is_dealt_out_once_an_epoch(num_examples, batch_size, seed):
    epochs = Epochs(num_examples, batch_size, seed)
    for epoch in range(3):
        first = epoch * epochs.steps_per_epoch
        batches = [epochs.examples(first + step) for step in range(epochs.steps_per_epoch)]
        assert sorted(np.concatenate(batches)) == list(range(num_examples))
        assert {len(batch) for batch in batches[:-1]} <= {batch_size}
        assert 1 <= len(batches[-1]) <= batch_size


@given(st.integers(2, 40), st.integers(2, 12))
def test_a_last_batch_that_would_be_too_small_is_joined_to_the_one_before(num_examples, batch_size):
    epochs = Epochs(num_examples, batch_size, seed=0, smallest=2)
    batches = [epochs.examples(step) for step in range(epochs.steps_per_epoch)]
    assert sorted(np.concatenate(batches)) == list(range(num_examples))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}
    assert 2 <= len(batches[-1]) <= batch_size + 1


def test_a_step_is_a_function_of_the_seed_and_its_number_whatever_was_asked_before():
    epochs = Epochs(10, 4, seed=2)
    in_order = [epochs.examples(step).tolist() for step in range(9)]
    assert [Epochs(10, 4, seed=2).examples(step).tolist() for step in range(9)] == in_order
    assert [epochs.examples(step).tolist() for step in (8, 0, 5, 2)] == [in_order[step] for step in (8, 0, 5, 2)]


@pytest.mark.parametrize("other", [Epochs(100, 100, seed=3).examples(0), Epochs(100, 100, seed=2).examples(1)])
def test_each_epoch_and_each_seed_has_an_order_of_its_own(other):
    order = Epochs(100, 100, seed=2).examples(0)
    assert order.tolist() != other.tolist()
    assert order.tolist() != list(range(100))
