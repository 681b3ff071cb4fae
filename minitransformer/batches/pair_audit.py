"""A look at the next-sentence pairs before training on them: are they balanced, long enough, and what one expects?

Without next sentences, there are single stretches of text to look at.
"""

from dataclasses import dataclass

import numpy as np

from minitransformer.batches.next_sentence import NUM_SPECIAL, SentencePairs, pack_pairs
from minitransformer.batches.stretches import NUM_SPECIAL as NUM_SPECIAL_OF_STRETCH
from minitransformer.batches.stretches import Stretches, pack_stretches
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import IntArray

HISTOGRAM_BINS = 8
EXAMPLES = 5


@dataclass(frozen=True)
class StretchAudit:
    """Facts about an epoch of stretches of text, for masked words alone; see PairAudit."""

    num_stretches: int
    mean_length: float
    unknown_share: float
    histogram: list[tuple[int, int, int]]
    examples: list[str]

    what = "stretches of text"

    @property
    def summary(self) -> str:
        return f"Stretches of text: {self.num_stretches:,} per epoch, {self.mean_length:.0f} tokens on average"

    def __str__(self) -> str:
        return (
            f"{self.num_stretches:,} stretches of text in an epoch, {self.unknown_share:.2%} of it unknown tokens\n"
            f"{self.mean_length:.1f} tokens in one; by their number of tokens:\n{bars_of(self.histogram)}\n"
            "The first ones:\n" + "\n".join(self.examples)
        )


@dataclass(frozen=True)
class PairAudit:
    """Facts about an epoch of pairs; printing it gives a readable page.

    random_share        of the pairs whose second text is from another document; about 0.5
    cut_share           of the pairs that were cut to the maximal length
    left_out_share      of the documents' tokens that are in no pair of this epoch, except maybe as a random text
    mean_length         tokens of a pair, with [CLS] and [SEP]
    mean_random_length  the same of random pairs alone: far from mean_length, it would give the answer away
    unknown_share       of the tokens that are [UNK]: characters that the vocabulary lacks
    histogram           (lengths from .. to, number of pairs)
    examples            the first pairs as text
    """

    num_pairs: int
    random_share: float
    cut_share: float
    left_out_share: float
    mean_length: float
    mean_random_length: float
    unknown_share: float
    histogram: list[tuple[int, int, int]]
    examples: list[str]

    what = "sentence pairs"

    @property
    def summary(self) -> str:
        """The first line of a page about the run."""
        share = f"{self.random_share:.0%} with a random second text"
        return f"Pairs: {self.num_pairs:,} per epoch, {share}, {self.mean_length:.0f} tokens on average"

    def __str__(self) -> str:
        return (
            f"{self.num_pairs:,} pairs in an epoch, {self.random_share:.1%} random, {self.cut_share:.1%} cut to the "
            f"maximal length\n"
            f"{self.left_out_share:.1%} of the text left out of this epoch, {self.unknown_share:.2%} of it unknown "
            f"tokens\n"
            f"{self.mean_length:.1f} tokens in a pair, {self.mean_random_length:.1f} in a random one; "
            f"pairs by their number of tokens:\n{bars_of(self.histogram)}\nThe first pairs:\n"
            + "\n".join(self.examples)
        )


def audit_pairs(
    pairs: SentencePairs, corpus: TokenizedCorpus, documents: Documents, tokenizer: BertTokenizer
) -> PairAudit:
    """Look at the pairs that were made from the documents of a corpus."""
    lengths = pairs.a_length + pairs.b_length + NUM_SPECIAL
    is_random = pairs.is_random.astype(bool)
    starts = corpus.sentence_starts
    num_tokens = int((starts[documents.end] - starts[documents.first]).sum())
    num_used = int(pairs.a_length.sum() + pairs.b_length[~is_random].sum())
    return PairAudit(
        num_pairs=len(pairs),
        random_share=float(is_random.mean()),
        cut_share=float((pairs.num_cut > 0).mean()),
        left_out_share=1 - num_used / num_tokens,
        mean_length=float(lengths.mean()),
        mean_random_length=float(lengths[is_random].mean()) if is_random.any() else 0.0,
        unknown_share=share_of(tokenizer.unk_token_id, corpus),
        histogram=histogram_of(lengths),
        examples=examples_of(pairs.select(np.arange(len(pairs))[:EXAMPLES]), corpus, tokenizer),
    )


def audit_stretches(stretches: Stretches, corpus: TokenizedCorpus, tokenizer: BertTokenizer) -> StretchAudit:
    """Look at the stretches that were made from a corpus."""
    first = stretches.select(np.arange(len(stretches))[:EXAMPLES])
    tokens = pack_stretches(corpus, first, tokenizer.cls_token_id, tokenizer.sep_token_id)
    lengths = stretches.length + NUM_SPECIAL_OF_STRETCH
    return StretchAudit(
        num_stretches=len(stretches),
        mean_length=float(lengths.mean()),
        unknown_share=share_of(tokenizer.unk_token_id, corpus),
        histogram=histogram_of(lengths),
        examples=["  " + tokenizer.decode(ids, skip_special_tokens=False) for ids in tokens.unpack(tokens.token_ids)],
    )


def share_of(token_id: int, corpus: TokenizedCorpus, at_once: int = 1_000_000) -> float:
    """The share of a token in the corpus, looked at piece by piece."""
    pieces = (corpus.token_ids[start : start + at_once] for start in range(0, corpus.num_tokens, at_once))
    return sum(int((piece == token_id).sum()) for piece in pieces) / corpus.num_tokens


def histogram_of(lengths: IntArray) -> list[tuple[int, int, int]]:
    """(shortest, longest, number) of bins of equal width, from the shortest to the longest length."""
    edges = np.unique(np.linspace(lengths.min(), lengths.max() + 1, HISTOGRAM_BINS + 1).round().astype(int))
    counts = np.histogram(lengths, edges)[0]
    return [(int(low), int(end) - 1, int(count)) for low, end, count in zip(edges[:-1], edges[1:], counts, strict=True)]


def examples_of(pairs: SentencePairs, corpus: TokenizedCorpus, tokenizer: BertTokenizer) -> list[str]:
    """Each pair as text in which [CLS] and [SEP] show, with its label."""
    tokens = pack_pairs(corpus, pairs, tokenizer.cls_token_id, tokenizer.sep_token_id)
    texts = (tokenizer.decode(ids, skip_special_tokens=False) for ids in tokens.unpack(tokens.token_ids))
    return [f"  {'random' if label else 'next'}: {text}" for label, text in zip(pairs.is_random, texts, strict=True)]


def bars_of(histogram: list[tuple[int, int, int]]) -> str:
    """A line with a bar for each bin."""
    most = max(count for _, _, count in histogram)
    return "\n".join(
        f"  {low:>4}-{high:<4} {count:>9,} {'#' * round(40 * count / most)}" for low, high, count in histogram
    )
