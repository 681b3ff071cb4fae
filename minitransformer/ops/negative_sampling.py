"""Negative sampling: a skip-gram's loss, which tells real neighbours from random ones.

For a word v and a word u that was seen beside it, and K words u'_k drawn at random,

    loss = -log sigmoid(v . u) - sum_k log sigmoid(-v . u'_k)

Mikolov et al. 2013 (arXiv 1310.4546), equation 4. "Words" may be products and "beside" in the same basket (Grbovic et
al. 2015, arXiv 1606.07154). A softmax over all V words would cost V products per pair; this costs K + 1.

With s = v . u and s'_k = v . u'_k, and softplus(x) = log(1 + exp(x)) = -log sigmoid(-x), it is

    loss = softplus(-s) + sum_k softplus(s'_k)

Back: the slope of softplus is the sigmoid, so

    ds = -dloss sigmoid(-s),   ds'_k = dloss sigmoid(s'_k)
    dv = ds u + sum_k ds'_k u'_k,   du = ds v,   du'_k = ds'_k v
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit


class NegativeSamplingCache(NamedTuple):
    v: np.ndarray  # (N, E)
    u: np.ndarray  # (N, E)
    negatives: np.ndarray  # (N, K, E)
    s: np.ndarray  # (N,)
    s_negative: np.ndarray  # (N, K)


def negative_sampling_forward(
    v: np.ndarray, u: np.ndarray, negatives: np.ndarray
) -> tuple[np.ndarray, NegativeSamplingCache]:
    """Losses (N,), in nats, of words v (N, E), their neighbours u (N, E) and negatives (N, K, E), and the cache."""
    s = (v * u).sum(axis=1)
    s_negative = np.einsum("ne,nke->nk", v, negatives)
    losses = np.logaddexp(0, -s) + np.logaddexp(0, s_negative).sum(axis=1)
    return losses, NegativeSamplingCache(v, u, negatives, s, s_negative)


def negative_sampling_backward(
    dlosses: np.ndarray, cache: NegativeSamplingCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of v (N, E), u (N, E) and the negatives (N, K, E) for dlosses (N,)."""
    v, u, negatives, s, s_negative = cache
    ds = (-dlosses * expit(-s))[:, None]
    ds_negative = dlosses[:, None] * expit(s_negative)
    dv = ds * u + np.einsum("nk,nke->ne", ds_negative, negatives)
    return dv, ds * v, ds_negative[:, :, None] * v[:, None]
