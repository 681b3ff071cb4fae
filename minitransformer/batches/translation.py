"""What a translator learns from in a step: sources, and the targets that it should have written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from minitransformer.batches.batch import Batch
from minitransformer.corpora.tables import TRANSLATIONS, Table
from minitransformer.errors import UserError
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
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


def pairs_of(table: Table, tokenizer: LosslessTokenizer, max_length: int) -> TranslationBatch:
    """The pairs of a table as tokens. Raises UserError that names the line of one that is too long."""
    return TranslationBatch(*(tokens_of(table, name, tokenizer, max_length) for name in TRANSLATIONS))


def tokens_of(table: Table, column: str, tokenizer: LosslessTokenizer, max_length: int) -> PackedTokens:
    """A column of a table as tokens, each text with the one that ends it. Errors as those of pairs_of."""
    sequences: list[Sequence[int]] = []
    for example, text in enumerate(table.columns[column]):
        try:
            ids = tokenizer.encode_sequence(text)
        except UserError as error:
            raise UserError(f"{table.where(example)}: {error}") from None
        if len(ids) > max_length:
            long = f"the {column} has {len(ids)} tokens, more than the {max_length} that the model takes"
            raise UserError(f"{table.where(example)}: {long}; delete the line, or train with a larger --max-length")
        sequences.append(ids)
    return PackedTokens.pack(sequences)
