"""Many texts through an encoder: each different one once, in batches of like length, on all cores."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from minitransformer.errors import UserError
from minitransformer.parallel import available_cores

TEXTS_PER_BLOCK = 8192  # what of a stream is sorted by length together, and held in memory at a time,
CHARACTERS_PER_BLOCK = 2**20  # unless its texts are longer than sentences
TOKENS_PER_BATCH = 2048  # enough rows for fast matrix products; two hundred sentences keep two cores busy
TRUNCATIONS = ("warn", "error", "silent")

TokenIds = list[int]  # of one text


class Truncation:
    """Cuts texts to the model's limit, and keeps count of what that costs.

    `mode` is what to do about a text that is too long: "warn" in the end, "error" at once, or nothing for "silent".
    """

    def __init__(self, limit: int, mode: str) -> None:
        if mode not in TRUNCATIONS:
            raise UserError(f"truncation must be one of {', '.join(TRUNCATIONS)}; found {mode!r}")
        self.limit, self.mode = limit, mode
        self.texts = self.tokens = self.cut_texts = self.cut_tokens = 0

    def cut(self, text: str, ids: TokenIds) -> TokenIds:
        """At most `limit` of the ids, the last one ([SEP]) kept."""
        self.texts += 1
        self.tokens += len(ids)
        excess = len(ids) - self.limit
        if excess <= 0:
            return ids
        if self.mode == "error":
            raise UserError(f"a text has {len(ids)} tokens, but the model takes {self.limit}: {text[:60]!r}...")
        self.cut_texts += 1
        self.cut_tokens += excess
        return [*ids[: self.limit - 1], ids[-1]]

    def report(self) -> None:
        if self.cut_texts and self.mode == "warn":
            warnings.warn(
                f"{self.cut_texts:,} of {self.texts:,} texts are longer than the model's {self.limit} tokens: "
                f"{self.cut_tokens:,} of {self.tokens:,} tokens were cut off",
                stacklevel=4,
            )


def embed_stream(
    texts: Iterable[str],
    tokenize: Callable[[list[str]], list[TokenIds]],
    embed: Callable[[list[TokenIds]], np.ndarray],
    truncation: Truncation,
    show_progress: bool,
) -> Iterator[np.ndarray]:
    """The embeddings of the texts in their order, a block (at most TEXTS_PER_BLOCK, D) at a time."""
    total = len(texts) if isinstance(texts, Sized) else None
    with tqdm(total=total, unit=" texts", disable=not show_progress) as progress:
        for block in _blocks(texts):
            different = list(dict.fromkeys(block))
            cut = [truncation.cut(text, ids) for text, ids in zip(different, tokenize(different), strict=True)]
            rows: dict[str, np.ndarray] = {}
            compute = partial(_embed_some, embed, cut)
            for batch, embeddings in in_batches([len(ids) for ids in cut], compute):
                rows.update(zip((different[i] for i in batch), embeddings, strict=True))
                progress.update(len(batch))
            progress.update(len(block) - len(different))
            yield np.stack([rows[text] for text in block])
    truncation.report()


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    characters = 0
    for text in texts:
        block.append(text)
        characters += len(text)
        if len(block) == TEXTS_PER_BLOCK or characters >= CHARACTERS_PER_BLOCK:
            yield block
            block, characters = [], 0
    if block:
        yield block


def _embed_some(embed: Callable[[list[TokenIds]], np.ndarray], texts: list[TokenIds], batch: list[int]) -> np.ndarray:
    return embed([texts[i] for i in batch])


def in_batches(
    lengths: Sequence[int], compute: Callable[[list[int]], np.ndarray]
) -> Iterator[tuple[list[int], np.ndarray]]:
    """The numbers of the texts in batches of like length, and with each batch the rows that compute(batch) gives.

    A single batch is computed right here, so that one sentence waits for nothing. Several go to a thread for each core,
    with one BLAS thread each, which keeps all cores busy, with element-wise work as with products.
    """
    batches = batches_by_length(lengths)
    if len(batches) == 1:
        yield batches[0], compute(batches[0])
        return
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(available_cores()) as threads:
        yield from zip(batches, threads.map(compute, batches), strict=True)


def batches_by_length(lengths: Sequence[int]) -> list[list[int]]:
    """The numbers of the texts, longest first, cut into batches of at most TOKENS_PER_BATCH tokens.

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
