"""Stretches of text for masked language modelling alone: as many sentences of a document as fit the length.

That is DOC-SENTENCES of Liu et al. 2019 (arXiv 1907.11692), section 4.2: no stretch crosses the end of a document. A
sentence that doesn't fit by itself is cut, and its rest begins the next stretch. The first stretch of each document is
of a random length, so that each epoch cuts it at other places.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Self

import numpy as np
from numpy.typing import NDArray

from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens, span_indices, span_offsets, unchecked

NUM_SPECIAL = 2  # [CLS] a [SEP]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Spans (P,) of the corpus's tokens."""

    start: IntArray
    length: IntArray

    def __len__(self) -> int:
        return len(self.start)

    def select(self, indices: NDArray) -> Self:
        """The chosen stretches, in the order given."""
        return type(self)(self.start[indices], self.length[indices])


def make_stretches(
    corpus: TokenizedCorpus, documents: Documents, max_length: int, rng: np.random.Generator
) -> Stretches:
    """One epoch of stretches, "[CLS] a [SEP]" of at most max_length tokens each, in the order of the documents.

    Each token of the documents is in one of them. Raises UserError if there are no documents, or max_length is below 3.
    """
    if not len(documents.first):
        raise UserError("there is no document to take text from")
    if max_length <= NUM_SPECIAL:
        raise UserError(f"max_length is {max_length}, but a text needs {NUM_SPECIAL + 1} tokens or more")
    draw = Random(int(rng.integers(2**62)))  # ten times as quick as rng for single numbers
    numbers = array("q")
    for first, end in zip(documents.first.tolist(), documents.end.tolist(), strict=True):
        for stretch in _stretches_of(corpus.sentence_starts[first : end + 1].tolist(), max_length - NUM_SPECIAL, draw):
            numbers.extend(stretch)
    return Stretches(*np.array(numbers, np.int64).reshape(-1, 2).T)


def _stretches_of(starts: list[int], longest: int, draw: Random) -> Iterator[tuple[int, int]]:
    """First token and length of each stretch of a document, whose sentences begin and end at `starts`."""
    begin, limit = starts[0], draw.randint(1, longest)
    while begin < starts[-1]:
        end = starts[bisect_right(starts, begin + limit) - 1]  # the last sentence that ends within the limit
        if end <= begin:
            end = begin + limit
        yield begin, end - begin
        begin, limit = end, longest


def pack_stretches(corpus: TokenizedCorpus, stretches: Stretches, cls_token_id: int, sep_token_id: int) -> PackedTokens:
    """The stretches (S,) as the rows "[CLS] a [SEP]"."""
    lengths = stretches.length + NUM_SPECIAL
    starts = np.cumsum(lengths) - lengths
    token_ids = np.full(lengths.sum(), sep_token_id)
    token_ids[starts] = cls_token_id
    rows = span_indices(starts + 1, stretches.length)
    token_ids[rows] = corpus.token_ids[span_indices(stretches.start, stretches.length)]
    return unchecked(PackedTokens, token_ids, np.zeros_like(token_ids), span_offsets(lengths), lengths)
