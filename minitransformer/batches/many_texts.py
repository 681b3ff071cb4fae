"""Any number of texts through a model: a stream in chunks, a chunk in batches of like length, batches on all cores."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from minitransformer.batches.shards import bounded_shards
from minitransformer.parallel import available_cores, map_on_cores
from minitransformer.text.packed_tokens import IntArray, PackedTokens
from minitransformer.text.texts import check_text, several_texts

TEXTS_PER_CHUNK, CHARACTERS_PER_CHUNK = 8192, 2**20  # at most, of what is in memory and sorted by length at a time
TOKENS_PER_BATCH = 2048  # twice a training shard: inference keeps no caches
TOKENS_PER_CORE = 64  # for fewer, another core isn't worth it: products of few rows take longer for each


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts of a stream in lists of at most TEXTS_PER_CHUNK. Raises UserError for the first that isn't a text."""
    chunk: list[str] = []
    characters = 0
    for number, text in enumerate(several_texts(texts, "texts")):
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
) -> Iterator[tuple[IntArray, np.ndarray]]:
    """For batches of sequences of like length, on all cores: their indices, and what compute gives for the batch."""
    cores = min(available_cores(), max(1, len(tokens.token_ids) // TOKENS_PER_CORE))
    batches = bounded_shards(tokens.lengths, cores, TOKENS_PER_BATCH)[::-1]  # the longest first: all cores end together
    rows = map_on_cores(lambda batch: compute(tokens.select(batch)), batches)
    yield from zip(batches, rows, strict=True)
