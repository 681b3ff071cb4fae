"""What a decoder learns from in a step: windows of a long text, in which every token predicts the next one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from minitransformer.batches.batch import Batch
from minitransformer.batches.epochs import Epochs
from minitransformer.errors import UserError
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import IntArray, PackedTokens, span_indices, span_offsets, unchecked


@dataclass(frozen=True, eq=False)
class LanguageModellingBatch(Batch):
    """tokens are S sequences; each row but a sequence's last one predicts the token of the row below it."""

    tokens: PackedTokens

    @property
    def counts(self) -> int:
        """The number of tokens that are predicted: all but the first of each sequence."""
        return len(self.tokens.token_ids) - len(self)

    @property
    def inputs(self) -> tuple[PackedTokens]:
        return (self.tokens,)

    def select(self, sequences: Any) -> Self:
        return type(self)(self.tokens.select(sequences))


class WindowSampler:
    """Deals out windows of a row of token ids; the batch of a step depends on the arguments and the step alone.

    A window has max_length tokens. Its last one predicts nothing, so it is the next window's first one too, and in an
    epoch each token is predicted once. The row is taken as a ring, and each epoch cuts it into windows from another
    place on: a token comes with much context in one epoch and with little in another one.
    """

    def __init__(self, token_ids: NDArray[np.integer], batch_size: int, max_length: int, seed: int = 0) -> None:
        """batch_size is in windows, max_length in tokens. Raises UserError if a window doesn't fit into the text."""
        if max_length < 2:
            raise UserError(f"max_length is {max_length}, but a token and the one that it predicts are 2")
        if len(token_ids) < max_length:
            raise UserError(f"the text to train on has {len(token_ids)} tokens, but max_length is {max_length}")
        self.token_ids, self.stride, self.seed = token_ids, max_length - 1, seed
        self.epochs = Epochs(-(-len(token_ids) // self.stride), batch_size, seed)
        self.steps_per_epoch = self.epochs.steps_per_epoch

    def batch(self, step: int) -> LanguageModellingBatch:
        """The batch of a step, counted from 0 through all epochs."""
        cut = generator(self.seed, "cut", step // self.steps_per_epoch).integers(len(self.token_ids))
        starts = self.epochs.examples(step) * self.stride
        lengths = np.minimum(self.stride, len(self.token_ids) - starts) + 1
        return batch_of(self.token_ids, cut + starts, lengths)


def windows_in_order(
    token_ids: NDArray[np.integer], batch_size: int, max_length: int
) -> Iterator[LanguageModellingBatch]:
    """Batches of windows of a row from its start to its end, in which each of its tokens but the first is predicted."""
    stride = max_length - 1
    starts = np.arange(0, len(token_ids) - 1, stride)
    lengths = np.minimum(stride, len(token_ids) - 1 - starts) + 1
    for first in range(0, len(starts), batch_size):
        batch = slice(first, first + batch_size)
        yield batch_of(token_ids, starts[batch], lengths[batch])


def batch_of(token_ids: NDArray[np.integer], starts: IntArray, lengths: IntArray) -> LanguageModellingBatch:
    """The windows (S,) of a row that is taken as a ring."""
    rows = span_indices(starts, lengths) % len(token_ids)
    ids = token_ids[rows].astype(np.int64)
    return LanguageModellingBatch(unchecked(PackedTokens, ids, np.zeros_like(ids), span_offsets(lengths), lengths))
