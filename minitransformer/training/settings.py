"""What a training run is told: numbers that stay the same from its first step to its last, resumed or not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The settings that every training loop needs, beside the number of its steps.

    learning_rate      at its peak
    warm_up            the share of the steps in which the learning rate rises from 0
    beta2              of AdamW: how slowly its mean squared gradient changes
    weight_decay       of the matrices, per step and times the learning rate
    max_gradient_norm  longer gradients are scaled down to it
    seed               of first weights, data order, masks and dropout
    """

    learning_rate: float
    warm_up: float = 0.1
    beta2: float = 0.999
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    seed: int = 0
