"""Cross-entropy: how surprised a softmax over the classes is by the class that was true.

    p = softmax(logits),   loss = -log p_label = log(sum_j exp(logits_j)) - logits_label

one loss for each row; the caller takes the mean, or any other weighting. With the row's maximum subtracted first,
log and exp stay within range. (This is multinomial logistic regression's loss. The lecture's slide prints the binary
one, in ops/binary_cross_entropy.py; docs/pretraining.md holds the two side by side.)

Back: the loss is log(sum_k exp(logits_k)) - logits_label, whose derivative by logits_j is
exp(logits_j) / sum_k exp(logits_k) = p_j, less 1 for the label itself:

    dlogits_j = dloss (p_j - 1[j = label])

Every row of it adds up to 0: what the true class gains the others lose.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.blocks import in_blocks
from minitransformer.ops.sums import row_sums


class CrossEntropyCache(NamedTuple):
    probabilities: np.ndarray  # (M, V)
    labels: np.ndarray  # (M,)


def cross_entropy_forward(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, CrossEntropyCache]:
    """Losses (M,), in nats, of logits (M, V) against the true classes labels (M,), and the cache."""

    def forward(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        sums = row_sums(exps)
        losses = np.log(sums[:, 0]) - shifted[np.arange(len(labels)), labels]
        return losses, exps / sums

    losses, probabilities = in_blocks(forward, logits, labels)
    return losses, CrossEntropyCache(probabilities, labels)


def cross_entropy_backward(dlosses: np.ndarray, cache: CrossEntropyCache) -> np.ndarray:
    """Gradient of logits (M, V) for dlosses (M,)."""
    probabilities, labels = cache
    dlogits = probabilities * dlosses[:, None]
    dlogits[np.arange(len(labels)), labels] -= dlosses
    return dlogits
