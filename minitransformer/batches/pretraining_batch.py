"""What one pretraining step sees: masked tokens, what they were, and whether each second text is a random one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from minitransformer.batches.batch import Batch
from minitransformer.batches.masked_lm_batch import MaskedRows
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens, as_ids, unchecked


class StepCounts(NamedTuple):
    """What the two means of the loss divide by: the masked tokens and the pairs of a whole step."""

    masked: int
    pairs: int


@dataclass(frozen=True, eq=False)
class PretrainingBatch(Batch):
    """Input and targets of BERT's two tasks (Devlin et al. 2018, arXiv 1810.04805, section 3.1).

    tokens                 S pairs "[CLS] a [SEP] b [SEP]" with the masking done
    masked_positions (M,)  rows of the batch (0 to N - 1) whose token is to be predicted, each once, in any order
    masked_ids (M,)        the token that was there before masking
    is_random_next (S,)    0 if b follows a in the corpus, 1 if b is from another document

    Raises UserError if these don't fit together.
    """

    tokens: PackedTokens
    masked_positions: IntArray
    masked_ids: IntArray
    is_random_next: IntArray

    def __post_init__(self) -> None:
        for name in ("masked_positions", "masked_ids", "is_random_next"):
            object.__setattr__(self, name, as_ids(getattr(self, name), name))
        MaskedRows(self.masked_positions, self.masked_ids).check(self.tokens)
        if len(self.is_random_next) != len(self.tokens):
            raise UserError(f"is_random_next has {len(self.is_random_next)} entries for {len(self.tokens)} sequences")
        if self.is_random_next.max(initial=0) > 1:
            raise UserError(f"is_random_next must be 0 (next) or 1 (random), found {self.is_random_next.max()}")

    @property
    def counts(self) -> StepCounts:
        return StepCounts(len(self.masked_ids), len(self))

    def select(self, sequences: Sequence[int] | NDArray | slice) -> Self:
        """The batch of the chosen pairs in the order given; masked_positions are renumbered to its rows and ascend."""
        chosen = np.arange(len(self))[sequences]
        masked = MaskedRows(self.masked_positions, self.masked_ids).select(self.tokens, chosen)
        return unchecked(type(self), self.tokens.select(chosen), *masked, self.is_random_next[chosen])
