"""Binary cross-entropy: how surprised a sigmoid is by a yes or a no.

    p = sigmoid(z) = 1 / (1 + exp(-z)),   loss = -(t log p + (1 - t) log(1 - p))

for each element, with the target t between 0 and 1. Put p in and both logarithms become

    loss = max(z, 0) - z t + log(1 + exp(-|z|))

which neither overflows nor loses digits, whatever z.

Back: dz = dloss (p - t).
"""

from typing import NamedTuple

import numpy as np


class BinaryCrossEntropyCache(NamedTuple):
    logits: np.ndarray
    targets: np.ndarray


def binary_cross_entropy_forward(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, BinaryCrossEntropyCache]:
    """Losses, in nats, element by element, of logits against targets in [0, 1] of the same shape, and the cache."""
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    return losses, BinaryCrossEntropyCache(logits, targets)


def binary_cross_entropy_backward(dlosses: np.ndarray, cache: BinaryCrossEntropyCache) -> np.ndarray:
    """Gradient of the logits for dlosses, the same shape."""
    logits, targets = cache
    probabilities = 0.5 * (1 + np.tanh(0.5 * logits))  # the sigmoid, in a form that can't overflow
    return dlosses * (probabilities - targets)
