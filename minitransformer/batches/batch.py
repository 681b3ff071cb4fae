"""What a training step learns from, as far as it can be cut into shards."""

from __future__ import annotations

from typing import Any, Protocol

from minitransformer.text.packed_tokens import IntArray


class Batch(Protocol):
    """Sequences and what a model should make of them.

    The loss of a batch is a sum over its sequences (or their tokens) divided by `counts`. A shard that is told the
    counts of the whole batch therefore has a share of the loss, and the shares add up to it:

        loss, _ = model.forward(*batch.inputs)
        shares = [model.forward(*batch.select(shard).inputs, of_step=batch.counts)[0] for shard in shards]
    """

    def __len__(self) -> int:
        """The number of sequences S."""

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each sequence."""

    @property
    def counts(self) -> Any:
        """What the loss divides by: the model's forward takes it as of_step."""

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the model's forward takes first."""

    def select(self, sequences: Any) -> Batch:
        """The batch of the chosen sequences (indices, a boolean mask or a slice), in the order given."""
