"""What one step of masked language modelling sees: masked tokens, and what they were."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from minitransformer.batches.batch import Batch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens, as_ids, unchecked


class MaskedRows(NamedTuple):
    """Rows (M,) of a batch whose token is masked, and the ids (M,) that were there."""

    positions: IntArray
    ids: IntArray

    def check(self, tokens: PackedTokens) -> None:
        """Raises UserError unless the rows are some of the tokens', each once, with an id for each."""
        num_rows, num_masked = len(tokens.token_ids), len(self.positions)
        if (last := self.positions.max(initial=-1)) >= num_rows:
            raise UserError(f"masked_positions holds row {last}, but the batch has {num_rows} rows")
        if (times := np.bincount(self.positions, minlength=1)).max() > 1:
            raise UserError(f"masked_positions names row {times.argmax()} {times.max()} times; once is enough")
        if len(self.ids) != num_masked:
            raise UserError(f"there are {num_masked} masked_positions but {len(self.ids)} masked_ids")

    def select(self, tokens: PackedTokens, sequences: IntArray) -> Self:
        """Those in the chosen sequences, renumbered to the rows of these; they ascend."""
        entry_of_row = np.full(len(tokens.token_ids), -1)
        entry_of_row[self.positions] = np.arange(len(self.positions))
        entries = entry_of_row[tokens.rows_of(sequences)]
        positions = np.flatnonzero(entries >= 0)
        return type(self)(positions, self.ids[entries[positions]])


@dataclass(frozen=True, eq=False)
class MaskedLMBatch(Batch):
    """Input and targets of masked language modelling alone (Liu et al. 2019, arXiv 1907.11692, section 4.2).

    tokens                 S sequences "[CLS] a [SEP]" with the masking done
    masked_positions (M,)  rows of the batch (0 to N - 1) whose token is to be predicted, each once, in any order
    masked_ids (M,)        the token that was there before masking

    Raises UserError if these don't fit together.
    """

    tokens: PackedTokens
    masked_positions: IntArray
    masked_ids: IntArray

    def __post_init__(self) -> None:
        for name in ("masked_positions", "masked_ids"):
            object.__setattr__(self, name, as_ids(getattr(self, name), name))
        MaskedRows(self.masked_positions, self.masked_ids).check(self.tokens)

    @property
    def counts(self) -> int:
        """The masked tokens, which the mean of the loss divides by."""
        return len(self.masked_ids)

    def select(self, sequences: Any) -> Self:
        """The batch of the chosen sequences in the order given; masked_positions are renumbered to its rows."""
        chosen = np.arange(len(self))[sequences]
        masked = MaskedRows(self.masked_positions, self.masked_ids).select(self.tokens, chosen)
        return unchecked(type(self), self.tokens.select(chosen), *masked)
