"""How good translations are: BLEU, chrF, and how many are exactly right. All are from 0 to 100.

BLEU (Papineni et al. 2002) counts runs of 1 to 4 words that a reference has too, and is comparable only where words are
cut alike: here as mteval-v13a does, which is sacrebleu's default (Post 2018, arXiv 1804.08771). chrF (Popovic 2015)
counts runs of 1 to 6 characters, so that it sees words that are nearly right, and means something for short targets.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat
from typing import Any, NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.formatting import format_table

BLEU_ORDER, CHRF_ORDER = 4, 6
RECALL_WEIGHT = 2  # beta of chrF: recall counts twice as much as precision

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_CUTS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"([!-&(-+:-@\[-`{-~/])", r" \1 "),  # punctuation, but for ' , - and .
        (r"([^0-9])([.,])", r"\1 \2 "),  # a point or a comma, but not within a number
        (r"([.,])([^0-9])", r" \1 \2"),
        (r"([0-9])(-)", r"\1 \2 "),  # a dash behind a digit
    )
]


class TranslationQuality(NamedTuple):
    """Of n translations, each next to its reference."""

    exact_match: float
    chrf: float
    bleu: float


def translation_quality(translations: Sequence[str], references: Sequence[str]) -> TranslationQuality:
    """How near translations (n) come to references (n). White space counts only in that it separates words.

    >>> translation_quality(["the cat sat on a mat", "yes"], ["the cat sat on the mat", "yes"]).exact_match
    50.0
    """
    if len(translations) != len(references) or not references:
        raise UserError(f"there are {len(translations)} translations for {len(references)} references")
    pairs = [*zip(translations, references, strict=True)]
    exact = sum(found.split() == expected.split() for found, expected in pairs) / len(pairs)
    return TranslationQuality(100 * exact, chrf(translations, references), bleu(translations, references))


def translation_report(quality: TranslationQuality, num_translated: int) -> str:
    """A table of how good translations are.

    >>> print(translation_report(TranslationQuality(50, 81.25, 33.333), 2))
    2 translations  best: 100
    exact match          50.0
    chrF2                81.2
    BLEU (13a)           33.3
    """
    names = ("exact match", "chrF2", "BLEU (13a)")
    rows = [[name, f"{value:.1f}"] for name, value in zip(names, quality, strict=True)]
    return format_table([[f"{num_translated:,} translations", "best: 100"], *rows])


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU: the geometric mean of four precisions, times a penalty if the translations are too short.

        BLEU = 100 min(1, exp(1 - r / c)) exp(mean_n log(matches_n / total_n)),   c, r words in all

    The first order without a match counts as half a match, the next one as a quarter, and so on (sacrebleu's "exp").
    """
    found, expected = ([words_13a(text) for text in texts] for texts in (translations, references))
    counts = _match_counts(found, expected, BLEU_ORDER).sum(axis=0)
    matches, totals = counts[:, 0].tolist(), counts[:, 1].tolist()
    if not any(matches) or not all(totals):
        return 0.0
    halves = accumulate(repeat(0.5), lambda a, b: a * b)
    precisions = [(match or next(halves)) / total for match, total in zip(matches, totals, strict=True)]
    num_found, num_expected = (sum(map(len, texts)) for texts in (found, expected))
    brevity = min(0.0, 1 - num_expected / num_found)
    return 100 * math.exp(brevity + sum(map(math.log, precisions)) / BLEU_ORDER)


def chrf(translations: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2: the F-score, with recall counted twice, of runs of 1 to 6 characters without white space.

    F = 5 P R / (4 P + R),   P and R the means over the orders that both sides have
    """
    found, expected = (["".join(text.split()) for text in texts] for texts in (translations, references))
    counts = _match_counts(found, expected, CHRF_ORDER)
    counts[..., 1] *= counts[..., 2] > 0  # runs that are longer than a whole reference aren't held against a text
    counts = counts.sum(axis=0)
    matches, totals = counts[:, 0], counts[:, 1:]
    has_both = totals.all(axis=1)
    if not matches.any():
        return 0.0
    precision, recall = (matches[has_both, None] / totals[has_both]).mean(axis=0)
    weight = RECALL_WEIGHT**2
    return float(100 * (1 + weight) * precision * recall / (weight * precision + recall))


def words_13a(text: str) -> list[str]:
    """The words and punctuation marks of a text, as mteval-v13a cuts it.

    >>> words_13a("It's 3.5 km, isn't it?")
    ["It's", '3.5', 'km', ',', "isn't", 'it', '?']
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    text = f" {text} "
    for pattern, replacement in _CUTS:
        text = pattern.sub(replacement, text)
    return text.split()


def _match_counts(found: Sequence[Sequence[Any]], expected: Sequence[Sequence[Any]], order: int) -> np.ndarray:
    """(texts, order, 3): how many runs of n = 1, ..., order a text and its reference share, the text has, that has."""
    counts = np.zeros((len(found), order, 3), np.int64)
    for i, (text, reference) in enumerate(zip(found, expected, strict=True)):
        for n in range(1, order + 1):
            first, second = Counter(_runs(text, n)), Counter(_runs(reference, n))
            counts[i, n - 1] = (first & second).total(), first.total(), second.total()
    return counts


def _runs(sequence: Sequence[Any], n: int) -> Iterable[tuple[Any, ...]]:
    return zip(*(sequence[i:] for i in range(n)), strict=False)
