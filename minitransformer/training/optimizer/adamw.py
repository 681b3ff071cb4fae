"""AdamW: Adam with weight decay that doesn't go through the moments.

    m = beta1 m + g                                 the sum of all gradients, older ones counting less and less
    v = beta2 v + g^2                               the sum of their squares
    m_hat = m / (1 + beta1 + ... + beta1^(t-1))     the means: each sum divided by the sum of its t weights,
    v_hat = v / (1 + beta2 + ... + beta2^(t-1))     which is (1 - beta^t) / (1 - beta)
    w = w - lr * weight_decay * w                   for matrices alone, not for biases and LayerNorm
    w = w - lr * m_hat / (sqrt(v_hat) + eps)

Kingma, Ba 2014 (arXiv 1412.6980), algorithm 1; Loshchilov, Hutter 2017 (arXiv 1711.05101), algorithm 2, with weight
decay times the learning rate, as in torch.optim.AdamW. The paper's m is (1 - beta1) times this one, and its "bias
correction" by 1 - beta1^t then gives the same m_hat; with sums, a step has two passes over the weights less.

BERT as published leaves the correction out, which amounts to t = infinity, a division by 1 / (1 - beta), and has eps
1e-6: its first step moves a weight by (1 - beta1) / sqrt(1 - beta2) = 3.16 learning rates, and its warm-up hides that
(google-research/bert, optimization.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.nn.parameter import FlatStorage
from minitransformer.parallel import Spread, on_this_thread

# Entries that are worked on at once: a block of w, g, m, v and the scratch array stay in the cache between the lines
# of the update, so that a step reads and writes the four vectors once. (Why not smaller: ops/rows.py.)
BLOCK = 2**17

# Added to every m and v in each tenth step. An embedding without a gradient for 700 steps has an m below 1e-38, and
# after 4,000 steps a v as well (if beta2 is 0.98), where arithmetic is 40 times slower and 0.9 m rounds to m for ever.
# The updates that these make are some 1e-23 learning rates: below what a weight resolves, unless it is exactly 0.
_LEAST_M, _LEAST_V = 1e-30, 1e-36
_STEPS_APART = 10


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
        self.gradient_sums = np.zeros_like(storage.values)  # m
        self.square_sums = np.zeros_like(storage.values)  # v
        self.num_steps = 0

    def step(self, learning_rate: float, gradient_scale: float = 1.0, spread: Spread = on_this_thread) -> None:
        """Update every value by its gradient times gradient_scale, which clipping.py gives.

        With Workers.spread, each thread updates a part of the values.
        """
        self.num_steps += 1
        decayed = self.storage.num_decayed
        gradients = self.storage.gradients  # here, not on the threads: what is still to be zero is written by asking

        def update(start: int, end: int) -> None:
            for first, last, factor in self.rate_factors:
                if factor > 0:
                    begin, stop = max(first, start), min(last, end)
                    rate = factor * learning_rate
                    self._update(gradients, begin, min(stop, decayed), rate, gradient_scale, self.weight_decay)
                    self._update(gradients, max(begin, decayed), stop, rate, gradient_scale, 0.0)

        spread(update, self.storage.values.size)

    def _update(
        self, gradients: np.ndarray, start: int, end: int, learning_rate: float, scale: float, weight_decay: float
    ) -> None:
        """Update entries start .. end - 1 by the formulas above, with g * scale for g; s holds what is in between."""
        beta1, beta2 = self.betas
        rate, eps = self._rate_and_eps(learning_rate)
        scratch = np.empty(BLOCK, self.storage.values.dtype)
        for block_start in range(start, end, BLOCK):
            block = slice(block_start, min(block_start + BLOCK, end))
            w, g = self.storage.values[block], gradients[block]
            m, v = self.gradient_sums[block], self.square_sums[block]
            s = scratch[: len(w)]

            np.multiply(g, scale, out=s)  # m = beta1 m + g
            m *= beta1
            m += s

            s *= s  # v = beta2 v + g^2
            v *= beta2
            v += s

            if self.num_steps % _STEPS_APART == 0:
                m += _LEAST_M
                v += _LEAST_V

            np.sqrt(v, out=s)  # w = w - lr * weight_decay * w - rate * m / (sqrt(v) + eps)
            s += eps
            np.divide(m, s, out=s)
            s *= rate
            if weight_decay:
                w *= 1 - learning_rate * weight_decay
            w -= s

    def _rate_and_eps(self, learning_rate: float) -> tuple[float, float]:
        """The rate and the eps for sums in place of means. With a and b, the sums of the weights in m and v:

        m_hat / (sqrt(v_hat) + eps)  =  (m / a) / (sqrt(v / b) + eps)  =  sqrt(b) / a * m / (sqrt(v) + sqrt(b) eps)
        """
        steps = self.num_steps if self.bias_correction else math.inf
        a, b = ((1 - beta**steps) / (1 - beta) for beta in self.betas)
        return learning_rate * math.sqrt(b) / a, self.eps * math.sqrt(b)
