"""Any number of texts through a model: a stream in chunks, a chunk in batches of like length, batches on all cores."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from minitransformer.parallel import map_on_cores
from minitransformer.text.bert_tokenizer import check_text
from minitransformer.text.packed_tokens import PackedTokens

TEXTS_PER_CHUNK = 8192  # what is in memory at a time and sorted by length together: so many texts of a stream,
CHARACTERS_PER_CHUNK = 2**20  # or fewer if they are longer than sentences
TOKENS_PER_BATCH = 2048  # enough rows for fast matrix products; two hundred sentences keep two cores busy


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts of a stream in lists of at most TEXTS_PER_CHUNK. Raises UserError for the first that isn't a text."""
    chunk: list[str] = []
    characters = 0
    for number, text in enumerate(texts):
        check_text(text, f"texts[{number}]")
        chunk.append(text)
        characters += len(text)
        if len(chunk) == TEXTS_PER_CHUNK or characters >= CHARACTERS_PER_CHUNK:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def in_batches(
    tokens: PackedTokens, compute: Callable[[PackedTokens], np.ndarray]
) -> Iterator[tuple[list[int], np.ndarray]]:
    """For batches of sequences of like length, on all cores: their indices, and what compute gives for the batch."""
    batches = batches_by_length(tokens.lengths.tolist())
    rows = map_on_cores(lambda batch: compute(tokens.select(batch)), batches)
    yield from zip(batches, rows, strict=True)


def batches_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """The indices of sequences of these lengths, longest first, cut into batches of at most TOKENS_PER_BATCH tokens.

    >>> batches_by_length([3, 2030, 40, 9, 2020])
    [[1], [4], [2, 3, 0]]
    """
    batches: list[list[int]] = []
    room = 0
    for i in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not batches or lengths[i] > room:
            batches.append([])
            room = TOKENS_PER_BATCH
        batches[-1].append(i)
        room -= lengths[i]
    return batches
