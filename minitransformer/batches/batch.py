"""What a training step learns from, and can be cut into shards."""

from abc import ABC, abstractmethod
from typing import Any, Self

from minitransformer.text.packed_tokens import IntArray, PackedTokens


class Batch(ABC):
    """`tokens` are S sequences; a subclass knows what the model should make of them.

    The loss of a batch is a sum over its sequences (or their tokens) divided by `counts`. A shard that is told the
    counts of the whole batch therefore has a share of the loss, and the shares add up to it:

        loss, _ = model.forward(*batch.inputs)
        shares = [model.forward(*batch.select(shard).inputs, of_step=batch.counts)[0] for shard in shards]
    """

    tokens: PackedTokens

    def __len__(self) -> int:
        """The number of sequences S."""
        return len(self.tokens)

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each sequence."""
        return self.tokens.lengths

    @property
    def counts(self) -> Any:
        """What the loss divides by, as the model's forward takes it: the number of sequences, unless overridden."""
        return len(self)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the model's forward takes first: the batch itself, unless overridden."""
        return (self,)

    @abstractmethod
    def select(self, sequences: Any) -> Self:
        """The batch of the chosen sequences (indices, a boolean mask or a slice), in the order given."""
