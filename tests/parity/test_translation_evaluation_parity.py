"""BLEU and chrF against sacrebleu, on sentences in which everything happens."""

import random

import pytest

from minitransformer.evaluation.translation import bleu, chrf, words_13a

sacrebleu = pytest.importorskip("sacrebleu")

WORDS = ["the", "dog", "ein", "Hund's", "1,000", "3.5", "2-3", "(a)", "x.y", "&quot;", "&amp;lt;", "end.", "no,", "ü"]
MORE = ["$5", "a/b", "a-b 3- -4 .5 5. ,x x, !!", "<skipped> one -\ntwo\nthree", "“quoted” – dash…"]


def sentences(rng, count):
    return [" ".join(rng.choices(WORDS, k=rng.randrange(12))) for _ in range(count)]


def noisy(rng, text):
    words = [word for word in text.split() if rng.random() < 0.85]
    return " ".join([*words, *rng.choices(WORDS, k=rng.randrange(3))])


@pytest.mark.parametrize("seed", range(40))
def test_a_corpus_has_sacrebleus_scores(seed):
    rng = random.Random(seed)
    references = sentences(rng, rng.choice((1, 2, 30)))
    translations = [noisy(rng, text) for text in references]
    expected = sacrebleu.corpus_bleu(translations, [references], force=True)
    assert bleu(translations, references) == pytest.approx(expected.score, abs=1e-9)
    assert chrf(translations, references) == pytest.approx(sacrebleu.corpus_chrf(translations, [references]).score)


@pytest.mark.parametrize("text", [*WORDS, *MORE])
def test_words_are_cut_as_13a_cuts_them(text):
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    assert words_13a(text) == Tokenizer13a()(text).split()
