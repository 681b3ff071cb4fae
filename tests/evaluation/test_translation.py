import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.evaluation.translation import bleu, chrf, translation_quality, words_13a

SENTENCES = st.lists(st.text("ab ,.", max_size=20), min_size=1, max_size=4)


def test_bleu_worked_by_hand():
    """Six words against six: 5 of 6 words, 3 of 5 pairs, 2 of 4 triples and 1 of 3 quadruples are in the reference."""
    expected = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** (1 / 4)
    assert bleu(["the cat sat on a mat"], ["the cat sat on the mat"]) == pytest.approx(expected)


def test_a_word_counts_at_most_as_often_as_in_the_reference():
    """Papineni's example: seven times "the", of which the reference has two; no pair, triple or quadruple is there.

    The orders without a match count as 1/2, 1/4 and 1/8 of one.
    """
    expected = 100 * math.exp(1 - 9 / 7) * (2 / 7 * 0.5 / 6 * 0.25 / 5 * 0.125 / 4) ** (1 / 4)
    assert bleu(["the the the the the the the"], ["the cat is on the mat now or never"]) == pytest.approx(expected)


def test_translations_that_are_too_short_are_penalised_and_long_ones_by_their_precision():
    reference = "one two three four five six seven eight"
    assert bleu(["one two three four"], [reference]) == pytest.approx(100 * math.exp(1 - 8 / 4))
    assert bleu([reference + " nine"], [reference]) < 100


def test_words_are_cut_as_mteval_does():
    assert words_13a('He said: "1,000.5 km/h!" (2-3) &amp; more') == [
        *("He", "said", ":", '"', "1,000.5", "km", "/", "h", "!", '"', "(", "2", "-", "3", ")", "&", "more"),
    ]


def test_chrf_worked_by_hand():
    """ "ab" against "abc": runs of 1: 2 of 2 and 2 of 3, of 2: 1 of 1 and 1 of 2; "ab" has no runs of 3.

    P = 1, R = (2/3 + 1/2) / 2 = 7/12, F = 5 P R / (4 P + R) = 35/55
    """
    assert chrf(["ab"], ["abc"]) == pytest.approx(100 * 35 / 55)
    assert chrf(["a b"], ["ab c"]) == pytest.approx(100 * 35 / 55)


@given(SENTENCES)
def test_what_equals_its_reference_is_exactly_right(sentences):
    quality = translation_quality(sentences, sentences)
    assert quality.exact_match == 100
    assert quality.bleu == pytest.approx(100) if max(len(words_13a(s)) for s in sentences) > 3 else True
    assert quality.chrf == pytest.approx(100) if any(s.strip() for s in sentences) else quality.chrf == 0


@given(SENTENCES, SENTENCES)
def test_all_numbers_are_from_0_to_100(found, expected):
    count = min(len(found), len(expected))
    assert all(0 <= number <= 100 + 1e-9 for number in translation_quality(found[:count], expected[:count]))


def test_nothing_at_all_is_worth_nothing():
    assert translation_quality(["", ""], ["a b c d e", "f"]) == (0, 0, 0)


def test_a_missing_translation_is_refused():
    with pytest.raises(UserError, match="there are 1 translations for 2 references"):
        translation_quality(["a"], ["a", "b"])
