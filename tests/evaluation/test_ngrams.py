import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.evaluation.ngrams import ngram_losses


def numbers(text):
    return np.array([ord(character) for character in text])


def losses_by_the_formula(training, held_out, highest_order):
    """The recursion of the module's docstring, with dictionaries of counts."""
    counts, followers = defaultdict(int), defaultdict(set)
    for order in range(1, highest_order + 1):
        for end in range(order, len(training) + 1):
            *context, last = training[end - order : end]
            counts[*context, last] += 1
            counts["after", *context] += 1
            followers[tuple(context)].add(last)
    whole, V = [*training, *held_out], len({*training, *held_out})

    def probability(last, context, order):
        if order == 0:
            return 1 / V
        shorter = probability(last, context[1:], order - 1)
        after, different = counts["after", *context], len(followers[tuple(context)])
        return (counts[*context, last] + different * shorter) / (after + different) if after else shorter

    def loss(order):
        places = range(len(training), len(whole))
        return -sum(math.log(probability(whole[i], whole[i - order + 1 : i], order)) for i in places) / len(held_out)

    return [loss(order) for order in range(1, highest_order + 1)]


def test_unigrams_by_hand():
    """ "aab" has N = 3, D = 2; with a third character in the held-out text V is 3.

    P(a) = (2 + 2 / 3) / 5, P(b) = (1 + 2 / 3) / 5, P(c) = (0 + 2 / 3) / 5.
    """
    expected = -(math.log(8 / 15) + math.log(5 / 15) + math.log(2 / 15)) / 3
    assert ngram_losses(numbers("aab"), numbers("abc"), 1) == pytest.approx([expected])


def test_bigrams_by_hand():
    """ "aab", then "b": P_1(b) = (1 + 2 / 2) / 5 = 0.4. Nothing has followed the last b, so P_2(b | b) = 0.4.

    Then "ab": after a come a and b, so P_2(b | a) = (1 + 2 * 0.4) / (2 + 2) = 0.45.
    """
    assert ngram_losses(numbers("aab"), numbers("b"), 2) == pytest.approx([-math.log(0.4)] * 2)
    p_a = (2 + 1) / 5
    assert ngram_losses(numbers("aab"), numbers("ab"), 2)[1] == pytest.approx(-(math.log(p_a) + math.log(0.45)) / 2)


@given(st.text("abcd", min_size=7, max_size=60), st.text("abcde", min_size=1, max_size=30), st.integers(1, 6))
def test_the_losses_are_those_of_the_formula(training, held_out, highest_order):
    found = ngram_losses(numbers(training), numbers(held_out), highest_order)
    assert found == pytest.approx(losses_by_the_formula([*training], [*held_out], highest_order))


def test_a_text_that_repeats_itself_is_foreseen_from_enough_context():
    """In "abacabac..." a b or c follows an a: the 3-gram knows which."""
    one, two, three, *_ = ngram_losses(numbers("abac" * 500), numbers("abac" * 50))
    assert one > 1
    assert two == pytest.approx(math.log(2) / 2, abs=0.01)
    assert three < 0.01


def test_any_numbers_may_stand_for_characters():
    training, held_out = np.array([7, 10**6, 7, 7, 0]), np.array([7, 0, 5])
    assert ngram_losses(training, held_out) == pytest.approx(
        ngram_losses(np.array([2, 3, 2, 2, 0]), np.array([2, 0, 1]))
    )


def test_a_text_shorter_than_the_order_has_the_orders_that_it_has():
    assert len(ngram_losses(numbers("ab"), numbers("a"))) == 2
