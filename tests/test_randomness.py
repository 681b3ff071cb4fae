import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.randomness import generator

words = st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=5)  # the CRC-32 of no word at all is 0
purposes = st.lists(st.integers(0, 2**32 - 1) | words, max_size=4).map(tuple)


@given(st.integers(0, 2**64), purposes)
def test_the_same_seed_and_purpose_give_the_same_numbers(seed, purpose):
    assert (generator(seed, *purpose).random(5) == generator(seed, *purpose).random(5)).all()


@given(st.integers(0, 2**64), purposes, st.integers(0, 2**64), purposes)
def test_another_seed_or_purpose_gives_other_numbers(seed, purpose, other_seed, other_purpose):
    if (seed, purpose) != (other_seed, other_purpose):
        assert (generator(seed, *purpose).random(5) != generator(other_seed, *other_purpose).random(5)).all()


def test_a_zero_at_the_end_of_a_purpose_counts():
    """Step 0 of a purpose must not share its numbers with the purpose itself, nor shard 0 of a step with the step."""
    first_numbers = {generator(7, *purpose).random() for purpose in [("dropout",), ("dropout", 0), ("dropout", 0, 0)]}
    assert len(first_numbers) == 3


def test_what_was_drawn_before_changes_nothing():
    expected = generator(7, "masking", 812).random(5)
    other = generator(7, "masking", 811)
    other.random(1000)
    np.random.default_rng().random(3)
    assert (generator(7, "masking", 812).random(5) == expected).all()


def test_another_process_gives_the_same_numbers():
    """Python's own hash of a string changes from process to process; the words of a purpose must not."""
    program = "from minitransformer.randomness import generator; print(generator(7, 'masking', 812).random())"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert float(printed) == generator(7, "masking", 812).random()


def test_the_numbers_stay_the_same_from_version_to_version():
    """A run is rebuilt from its seed, maybe years later: these numbers may never change."""
    assert generator(7, "masking", 812).integers(0, 1000, 5).tolist() == [288, 367, 932, 62, 338]
