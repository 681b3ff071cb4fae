"""What a translator learns from in a step: sources, and the targets that it should have written."""

from dataclasses import dataclass
from typing import Any, Self

from minitransformer.batches.batch import Batch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens


@dataclass(frozen=True, eq=False)
class TranslationBatch(Batch):
    """sources and targets are S sequences each. Every token of the targets is predicted.

    Raises UserError unless there is a target for each source.
    """

    sources: PackedTokens
    targets: PackedTokens

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets):
            raise UserError(f"there are {len(self.sources)} sources but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each pair."""
        return self.sources.lengths + self.targets.lengths

    @property
    def counts(self) -> int:
        """The number of tokens that are predicted."""
        return len(self.targets.token_ids)

    @property
    def inputs(self) -> tuple[PackedTokens, PackedTokens]:
        return self.sources, self.targets

    def select(self, sequences: Any) -> Self:
        return type(self)(self.sources.select(sequences), self.targets.select(sequences))
