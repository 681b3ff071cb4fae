"""What one step of fine-tuning a classifier sees: texts, or pairs of texts, and the right answers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from minitransformer.batches.batch import Batch
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens


@dataclass(frozen=True, eq=False)
class ClassificationBatch(Batch):
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

    @property
    def inputs(self) -> tuple[PackedTokens, np.ndarray]:
        return self.tokens, self.targets

    def select(self, sequences: Any) -> Self:
        return type(self)(self.tokens.select(sequences), self.targets[sequences])
