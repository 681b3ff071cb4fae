"""Cross-entropy with label smoothing: the true class is asked for, but not with all of the probability.

    q_j = (1 - e) 1[j = label] + e / V,   loss = -sum_j q_j log p_j,   p = softmax(logits)

A share e of the probability is spread over all V classes, the true one among them (Szegedy et al. 2015, arXiv
1512.00567, section 7; Vaswani et al. 2017, section 5.4, with e = 0.1). A model that is sure of itself pays for it.
PyTorch's label_smoothing and transformers' LabelSmoother are the same; others spread e over the V - 1 wrong classes.

With log p_j = logits_j - log(sum_k exp(logits_k)) and the sum of q being 1, this is the plain loss and a penalty:

    loss = log(sum_k exp(logits_k)) - (1 - e) logits_label - e mean(logits)
         = -log p_label + e (logits_label - mean(logits))

Even the best possible loss isn't 0 but the entropy of q, so the plain losses are handed out too.

Back: dlogits_j = dloss (p_j - q_j), the plain gradient and that of the penalty.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.cross_entropy import CrossEntropyCache, cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.sums import row_means


class SmoothedCrossEntropyCache(NamedTuple):
    plain: CrossEntropyCache
    smoothing: float
    plain_losses: np.ndarray  # (M,) -log p_label


def smoothed_cross_entropy_forward(
    logits: np.ndarray, labels: np.ndarray, smoothing: float
) -> tuple[np.ndarray, SmoothedCrossEntropyCache]:
    """Losses (M,), in nats, of logits (M, V) against the true classes labels (M,), and the cache."""
    plain_losses, cache = cross_entropy_forward(logits, labels)
    penalties = logits[np.arange(len(labels)), labels] - row_means(logits)[:, 0]
    return plain_losses + smoothing * penalties, SmoothedCrossEntropyCache(cache, smoothing, plain_losses)


def smoothed_cross_entropy_backward(dlosses: np.ndarray, cache: SmoothedCrossEntropyCache) -> np.ndarray:
    """Gradient of logits (M, V) for dlosses (M,)."""
    dlogits = cross_entropy_backward(dlosses, cache.plain)
    d_penalties = cache.smoothing * dlosses
    dlogits -= (d_penalties / dlogits.shape[1])[:, None]
    dlogits[np.arange(len(dlosses)), cache.plain.labels] += d_penalties
    return dlogits
