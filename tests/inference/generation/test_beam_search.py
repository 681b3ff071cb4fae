import itertools
import math

import numpy as np
import pytest

from minitransformer.inference.generation.beam_search import beam_search
from minitransformer.inference.generation.continuations import Continuations
from tests.inference.generation.toy_model import bigram_gpt

START, A, B, EOS = range(4)
# Greedy goes for A (0.6), after which nothing is likely; the best end of two tokens begins with B.
PROBABILITIES = [[0, 0.6, 0.4, 0], [0, 0.5, 0.2, 0.3], [0, 0.05, 0.05, 0.9], [0.25] * 4]


@pytest.fixture
def text():
    return Continuations(bigram_gpt(PROBABILITIES), [[START]])


def log_probability(token_ids):
    return sum(math.log(PROBABILITIES[a][b]) for a, b in itertools.pairwise([START, *token_ids]))


def every_end(max_new_tokens):
    """All texts that end with EOS or at the last step."""
    for length in range(1, max_new_tokens + 1):
        for token_ids in itertools.product((A, B, EOS), repeat=length):
            if EOS not in token_ids[:-1] and (length == max_new_tokens or token_ids[-1] == EOS) and token_ids[0] != EOS:
                yield list(token_ids)


def test_two_beams_find_what_one_misses(text):
    """A A has the probability 0.6 * 0.5 = 0.3, B EOS 0.4 * 0.9 = 0.36."""
    best = beam_search(text, 2, num_beams=2, eos_token_id=EOS)[0]
    assert best.token_ids == [B, EOS]
    assert best.log_probability == pytest.approx(math.log(0.36))
    assert best.score(1) == pytest.approx(math.log(0.36) / 2)


def test_an_end_counts_only_if_it_is_among_the_best_continuations(text):
    """One beam is greedy: A A A, though A EOS, whose EOS is the second best after A, is more probable."""
    [found] = beam_search(text, 3, num_beams=1, length_penalty=0, eos_token_id=EOS)
    assert found.token_ids == [A, A, A]
    assert log_probability([A, EOS]) > found.log_probability


@pytest.mark.parametrize("length_penalty", [0, 0.5, 1, 2, -1])
def test_with_a_beam_for_every_text_the_best_of_all_is_found(text, length_penalty):
    scores = sorted((log_probability(ids) / len(ids) ** length_penalty for ids in every_end(4)), reverse=True)
    found = beam_search(text, 4, num_beams=50, length_penalty=length_penalty, eos_token_id=EOS)
    assert [beam.score(length_penalty) for beam in found[: len(scores)]] == pytest.approx(scores)


def test_the_length_penalty_makes_long_texts_better_or_worse(text):
    def best(length_penalty):
        return beam_search(Continuations(text.model, [[START]]), 6, 4, length_penalty, EOS)[0].token_ids

    assert len(best(-1)) <= len(best(0)) <= len(best(1)) <= len(best(3)) == 6
    assert best(0) == [B, EOS]


def test_texts_come_best_first_each_once_and_only_their_last_token_is_eos(text):
    found = beam_search(text, 5, num_beams=6, eos_token_id=EOS)
    scores = [beam.score(1) for beam in found]
    assert scores == sorted(scores, reverse=True)
    assert len({tuple(beam.token_ids) for beam in found}) == len(found) == 6
    assert all(EOS not in beam.token_ids[:-1] for beam in found)
    for beam in found:
        assert beam.log_probability == pytest.approx(log_probability(beam.token_ids))


def test_without_eos_every_text_has_all_tokens(text):
    assert {len(beam.token_ids) for beam in beam_search(text, 3, num_beams=3)} == {3}


def test_what_may_come_first_can_be_restricted(text):
    """As for a half-typed word: set the other tokens' logits to -inf before the search."""
    text.logits[:, [START, A, EOS]] = -np.inf
    assert beam_search(text, 2, num_beams=3, eos_token_id=EOS)[0].token_ids == [B, EOS]
