"""AdamW: Adam with weight decay that doesn't go through the moments.

    m = beta1 m + (1 - beta1) g                     a running mean of the gradients
    v = beta2 v + (1 - beta2) g^2                   a running mean of their squares
    m_hat = m / (1 - beta1^t)                       m and v start at 0. After t steps their weights add up to
    v_hat = v / (1 - beta2^t)                       1 - beta^t, and dividing by that corrects the bias
    w = (1 - lr * weight_decay) w                   for matrices only, not for biases and LayerNorm
    w = w - lr * m_hat / (sqrt(v_hat) + eps)

Kingma, Ba 2014 (arXiv 1412.6980), algorithm 1; Loshchilov, Hutter 2017 (arXiv 1711.05101), algorithm 2, with weight
decay times the learning rate, as in torch.optim.AdamW. The two corrections are numbers, not vectors, so they go into
the learning rate and eps (Kingma, Ba, end of section 2), which saves two divisions for each weight:

    lr * m_hat / (sqrt(v_hat) + eps) = lr_t * m / (sqrt(v) + eps_t)
    lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t),   eps_t = eps * sqrt(1 - beta2^t)

BERT as published leaves the correction out and has eps 1e-6. Its first step then moves a weight by
(1 - beta1) / sqrt(1 - beta2) = 3.16 learning rates, which its warm-up hides (google-research/bert, optimization.py).
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.nn.parameter import FlatStorage
from minitransformer.parallel import Spread, on_this_thread

# Entries updated at once. Their w, g, m and v stay in the processor's fast memory from line to line, so that a step
# reads and writes main memory once. (Smaller blocks cost more than they save, for the reason in ops/blocks.py.)
BLOCK = 2**17

# A rare word's row has no gradient for hundreds of steps, in which its m and v only shrink. Below 1e-38 float32 has
# "denormal" numbers, with which a processor computes 40 times as slowly. So every tenth step adds a little to each m
# and v. What it adds to an update, some 1e-22 learning rates, is far below what any weight but 0 can resolve.
_LITTLE_M, _LITTLE_V = 1e-30, 1e-36
_STEPS_BETWEEN = 10


class RateFactor(NamedTuple):
    """What the learning rate is multiplied by for some entries of the flat vectors; 0 leaves them as they are."""

    start: int
    end: int
    factor: float


class AdamW:
    """The optimizer of a model's flat vectors (Module.storage), which a step changes in place.

    rate_factors cover the vectors from the first entry to the last; without them all have the same learning rate.
    """

    def __init__(
        self,
        storage: FlatStorage,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        bias_correction: bool = True,
        rate_factors: Sequence[RateFactor] | None = None,
    ) -> None:
        self.storage = storage
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.bias_correction = bias_correction
        self.rate_factors = rate_factors or [RateFactor(0, storage.values.size, 1.0)]
        self.m = np.zeros_like(storage.values)
        self.v = np.zeros_like(storage.values)
        self.num_steps = 0

    def step(self, learning_rate: float, gradient_scale: float = 1.0, spread: Spread = on_this_thread) -> None:
        """Update every value by its gradient times gradient_scale, which clipping.py gives.

        With Workers.spread, each thread updates a part of the values.
        """
        self.num_steps += 1
        gradients = self.storage.gradients
        decayed = self.storage.num_decayed

        def update(start: int, end: int) -> None:
            for first, last, factor in self.rate_factors:
                if factor > 0:
                    begin, stop, rate = max(first, start), min(last, end), factor * learning_rate
                    for part in _blocks(begin, min(stop, decayed)):
                        self._update(part, gradient_scale * gradients[part], rate, self.weight_decay)
                    for part in _blocks(max(begin, decayed), stop):
                        self._update(part, gradient_scale * gradients[part], rate, 0.0)

        spread(update, self.storage.values.size)

    def _update(self, part: slice, g: np.ndarray, learning_rate: float, weight_decay: float) -> None:
        """Update the entries of the slice `part`, whose gradients are g, by the formulas above."""
        w, m, v = self.storage.values[part], self.m[part], self.v[part]
        (beta1, beta2), t = self.betas, self.num_steps if self.bias_correction else math.inf  # beta**inf is 0
        eps_t = self.eps * math.sqrt(1 - beta2**t)
        learning_rate_t = learning_rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        if self.num_steps % _STEPS_BETWEEN == 0:
            m += _LITTLE_M
            v += _LITTLE_V
        w *= 1 - learning_rate * weight_decay
        w -= learning_rate_t * m / (np.sqrt(v) + eps_t)


def _blocks(start: int, end: int) -> Iterator[slice]:
    return (slice(first, min(first + BLOCK, end)) for first in range(start, end, BLOCK))
