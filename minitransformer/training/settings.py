"""What a training run is told: numbers that stay the same from its first step to its last, resumed or not."""

from dataclasses import dataclass

from minitransformer.parallel import available_cores


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The settings that every training loop needs, in addition to its number of steps.

    learning_rate      at its peak
    warm_up            the share of the steps in which the learning rate rises from 0
    beta2              of AdamW: how slowly its mean squared gradient changes
    weight_decay       of the matrices, in each step and times the learning rate
    max_gradient_norm  longer gradients are scaled down to it
    seed               of initial weights, data order, masks and dropout
    num_shards         parts of a batch, each for one core (large batches may be cut further)
    """

    learning_rate: float
    warm_up: float = 0.1
    beta2: float = 0.999
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    seed: int = 0
    num_shards: int = 2

    def cores(self, workers: int | None) -> int:
        """How many cores have work in a step with `workers` (default: one for each core of the machine)."""
        return min(workers or available_cores(), self.num_shards)
