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
    workers            cores of each process; None for all
    processes          how many there were when the run began (training/machines.py)

    A run may be resumed with other workers and processes: they affect only rounding.
    """

    learning_rate: float
    warm_up: float = 0.1
    beta2: float = 0.999
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    seed: int = 0
    num_shards: int = 2
    workers: int | None = None
    processes: int = 1

    def cores(self, workers: int | None, num_processes: int = 1) -> int:
        """How many cores of each process have work in a step with `workers`, or with as many as the run began with."""
        return min(workers or self.workers or available_cores(), -(-self.num_shards // num_processes))
