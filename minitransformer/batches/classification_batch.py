"""What one step of fine-tuning a classifier sees: texts, or pairs of texts, and the right answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens


@dataclass(frozen=True, eq=False)
class ClassificationBatch:
    """Input and targets of BertForSequenceClassification.

    tokens     S texts or pairs of texts
    targets    label ids (S,), 1 or 0 for each text and label (S, K), or numbers (S, 1)

    Raises UserError unless there is a target for each text.
    """

    tokens: PackedTokens
    targets: np.ndarray

    def __post_init__(self) -> None:
        if len(self.targets) != len(self.tokens):
            raise UserError(f"there are {len(self.tokens)} texts but {len(self.targets)} targets")

    def __len__(self) -> int:
        """The number of texts S."""
        return len(self.tokens)

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each text."""
        return self.tokens.lengths

    @property
    def counts(self) -> int:
        """What the loss of this batch divides by: its texts."""
        return len(self)

    @property
    def inputs(self) -> tuple[PackedTokens, np.ndarray]:
        """What BertForSequenceClassification.forward takes first."""
        return self.tokens, self.targets

    def select(self, texts: Any) -> ClassificationBatch:
        """The batch of the chosen texts (indices, a boolean mask or a slice), in the order given."""
        return ClassificationBatch(self.tokens.select(texts), self.targets[texts])
