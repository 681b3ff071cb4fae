"""Next-sentence pairs: two stretches of sentences, of which the second follows the first in its document or doesn't.

The recipe of google-research/bert, create_pretraining_data.py (Devlin et al. 2018, arXiv 1810.04805, appendix A.2):
walk through a document, gathering sentences into a chunk until it has the target length (a short one for a document
in ten, so that short inputs occur). Cut the chunk at random into A and B. For half of the chunks B is replaced by
sentences from another document, and those that were there are put back, to begin the next chunk.

Three things differ, so that the form of a pair doesn't give the answer away:

- A chunk has at least two sentences. The original also makes chunks of one sentence, always with a random B, so that
  more than half of its pairs are random (63 % in a corpus of docstrings). Here a sentence that is left alone at the
  end of a document is left out of the epoch.
- A random B is nearly as long as the text that it replaces. The original fills the pair up to the target length, so
  that a pair from the end of a document is short only if it is a true one: in novels 70 % of its pairs can be told
  by their length alone.
- A random B never begins with the first sentence of a document, since a true one can't.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from random import Random
from typing import Self

import numpy as np
from numpy.typing import NDArray

from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens, span_indices, span_offsets, unchecked
from minitransformer.text.truncation import longest_first

NUM_SPECIAL = 3  # [CLS] a [SEP] b [SEP]
SHORT_PROBABILITY = 0.1
TRIES = 10  # for a random text of the right length

ONE_DOCUMENT = (
    "the corpus is one document, but next-sentence prediction takes its random sentences from another one. Put a "
    "blank line (in text with wrapped lines two) between chapters or articles, give several files, or train on masked "
    "words alone (--no-next-sentence)"
)


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Pairs (P,) as spans of the corpus's tokens, cut to their maximal length. num_cut (P,) says by how much."""

    a_start: IntArray
    a_length: IntArray
    b_start: IntArray
    b_length: IntArray
    is_random: IntArray
    num_cut: IntArray

    def __len__(self) -> int:
        return len(self.is_random)

    def select(self, indices: NDArray) -> Self:
        """The chosen pairs, in the order given."""
        return type(self)(*(getattr(self, field.name)[indices] for field in fields(self)))

    def cut(self, max_tokens: int, rng: np.random.Generator) -> Self:
        """The longer text of each pair cut until both have max_tokens together, each token at random at either end."""
        a_length, b_length = longest_first(self.a_length, self.b_length, max_tokens)
        a_cut, b_cut = self.a_length - a_length, self.b_length - b_length
        a_start, b_start = self.a_start + rng.binomial(a_cut, 0.5), self.b_start + rng.binomial(b_cut, 0.5)
        return type(self)(a_start, a_length, b_start, b_length, self.is_random, a_cut + b_cut)


def refuse_single_document(corpus: Iterable[str]) -> Iterator[str]:
    """The sentences of a corpus. Raises UserError after the last one if all belong to one document."""
    num_documents, ended = 0, True
    for sentence in corpus:
        num_documents += ended and bool(sentence)
        ended = not sentence
        yield sentence
    if num_documents == 1:
        raise UserError(ONE_DOCUMENT)


def make_pairs(
    corpus: TokenizedCorpus, documents: Documents, max_length: int, rng: np.random.Generator
) -> SentencePairs:
    """One epoch of pairs, "[CLS] a [SEP] b [SEP]" of at most max_length tokens each, in the order of the documents.

    Takes about 10 microseconds a pair. Raises UserError unless two documents have two sentences.
    """
    several = np.flatnonzero(documents.end - documents.first >= 2)
    if corpus.num_documents == 1:
        raise UserError(ONE_DOCUMENT)
    if len(several) < 2:
        raise UserError(
            f"of the corpus's {corpus.num_documents} documents {len(several)} can be used, but next-sentence "
            "prediction needs two with at least two sentences each. Is there a blank line after every sentence? Masked "
            "words alone (--no-next-sentence) need no more than one"
        )
    if max_length < NUM_SPECIAL + 2:
        raise UserError(f"max_length is {max_length}, but a pair of sentences needs {NUM_SPECIAL + 2} tokens or more")
    draw = Random(int(rng.integers(2**62)))  # ten times as quick as rng for single numbers
    first, end = documents.first[several].tolist(), documents.end[several].tolist()
    walk = DocumentWalk(corpus.sentence_starts, first, end, draw)
    numbers = array("q")
    for document in range(len(several)):
        for pair in walk.pairs_of(document, max_length - NUM_SPECIAL):
            numbers.extend(pair)
    a_start, a_end, b_start, b_end, is_random = np.array(numbers).reshape(-1, 5).T
    whole = SentencePairs(a_start, a_end - a_start, b_start, b_end - b_start, is_random, np.zeros_like(a_start))
    return whole.cut(max_length - NUM_SPECIAL, rng)


@dataclass(frozen=True)
class DocumentWalk:
    """Walks through documents, given as their first and end sentences, and pairs their sentences up."""

    sentence_starts: IntArray
    first: list[int]
    end: list[int]
    draw: Random

    def pairs_of(self, document: int, max_tokens: int) -> Iterator[tuple[int, int, int, int, bool]]:
        """For each pair the first and end token of A and of B, and whether B is random."""
        draw, starts = self.draw, self.sentence_starts
        target = draw.randint(2, max_tokens) if draw.random() < SHORT_PROBABILITY else max_tokens
        begin, last = self.first[document], self.end[document]
        while last - begin >= 2:
            end = max(begin + 2, bisect_left(starts, starts[begin] + target, begin, last))
            middle = draw.randint(begin + 1, end - 1)
            if draw.random() < 0.5:
                yield starts[begin], starts[middle], starts[middle], starts[end], False
                begin = end
            else:
                b_start, b_end = self.random_text(document, starts[end] - starts[middle])
                yield starts[begin], starts[middle], b_start, b_end, True
                begin = middle

    def random_text(self, document: int, length: int) -> tuple[int, int]:
        """First and end token of sentences from another document, of nearly the length: the best of some tries."""
        draw, starts = self.draw, self.sentence_starts
        best, least_error = (0, 0), None
        for _ in range(TRIES):
            other = draw.randrange(len(self.first) - 1)
            other += other >= document
            begin = draw.randrange(self.first[other] + 1, self.end[other])
            end = bisect_left(starts, starts[begin] + length, begin + 1, self.end[other])
            if end > begin + 1 and starts[begin] + length - starts[end - 1] < starts[end] - starts[begin] - length:
                end -= 1  # the sentence before ends nearer to the length
            error = abs(starts[end] - starts[begin] - length)
            if least_error is None or error < least_error:
                best, least_error = (starts[begin], starts[end]), error
            if least_error <= length // 8:
                break
        return best


def pack_pairs(corpus: TokenizedCorpus, pairs: SentencePairs, cls_token_id: int, sep_token_id: int) -> PackedTokens:
    """The pairs (S,) as the rows "[CLS] a [SEP] b [SEP]", with segment 1 from b on."""
    lengths = pairs.a_length + pairs.b_length + NUM_SPECIAL
    starts = np.cumsum(lengths) - lengths
    token_ids = np.full(lengths.sum(), sep_token_id)
    token_ids[starts] = cls_token_id
    a_rows = span_indices(starts + 1, pairs.a_length)
    b_rows = span_indices(starts + 2 + pairs.a_length, pairs.b_length)
    token_ids[a_rows] = corpus.token_ids[span_indices(pairs.a_start, pairs.a_length)]
    token_ids[b_rows] = corpus.token_ids[span_indices(pairs.b_start, pairs.b_length)]
    segments = np.tile([0, 1], len(pairs))
    segment_ids = np.repeat(segments, np.column_stack([pairs.a_length + 2, pairs.b_length + 1]).ravel())
    return unchecked(PackedTokens, token_ids, segment_ids, span_offsets(lengths), lengths)
