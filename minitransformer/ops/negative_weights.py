"""How much each wrong pair of a batch counts, by how similar it is: self-adversarial weights of in-batch negatives.

With s_ij the similarity of query i and product j, and N_i the products that are wrong for query i, n_i of them:

    equal       w_ij = 1
    identity    w_ij = s_ij
    sigmoid     w_ij = 1 / (1 + exp(-s_ij))
    relu        w_ij = max(s_ij, 0)
    softmax     w_ij = n_i exp(s_ij / T) / sum over k in N_i of exp(s_ik / T)

for j in N_i, and 0 elsewhere. A wrong pair that the model takes for right is similar, and counts the more.
Softmax's weights of a query are 1 on average: at a high temperature T they are all 1, at a low one only the hardest
product counts. The first four are those of Xie et al. 2022 (arXiv 2209.05555), the last one is Sun et al. 2019
("RotatE", arXiv 1902.10197, equation 5) times n_i.

Back, element by element for the first four: 0, dw, dw w (1 - w), and dw where s > 0. Softmax's is that of
ops/softmax.py: with p = w / n_i its probabilities,

    ds_ik = (n_i / T) p_ik (dw_ik - sum_j dw_ij p_ij) = w_ik (dw_ik - sum_j dw_ij w_ij / n_i) / T
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from minitransformer.ops.sums import row_sums

WEIGHTS = ("equal", "identity", "sigmoid", "relu", "softmax")


class NegativeWeightsCache(NamedTuple):
    similarities: np.ndarray
    negatives: np.ndarray
    weights: np.ndarray
    kind: str
    temperature: float


def negative_weights_forward(
    similarities: np.ndarray, negatives: np.ndarray, kind: str, temperature: float = 1.0
) -> tuple[np.ndarray, NegativeWeightsCache]:
    """Weights (S, C) of similarities (S, C), and the cache. negatives (S, C) is True for the pairs that are wrong.

    `kind` is one of WEIGHTS; the temperature is softmax's.
    """
    weigh: dict[str, Callable[[], np.ndarray]] = {
        "equal": lambda: np.ones_like(similarities),
        "identity": lambda: similarities,
        "sigmoid": lambda: expit(similarities),
        "relu": lambda: np.maximum(similarities, 0),
        "softmax": lambda: _softmax_of_negatives(similarities / temperature, negatives),
    }
    weights = np.where(negatives, weigh[kind](), 0).astype(similarities.dtype, copy=False)
    return weights, NegativeWeightsCache(similarities, negatives, weights, kind, temperature)


def negative_weights_backward(dweights: np.ndarray, cache: NegativeWeightsCache) -> np.ndarray:
    """Gradient of the similarities (S, C) for dweights (S, C)."""
    similarities, negatives, weights, kind, temperature = cache
    dweights = np.where(negatives, dweights, 0)
    if kind == "softmax":
        mean = row_sums(dweights * weights) / np.maximum(1, negatives.sum(axis=1, keepdims=True))
        return (weights * (dweights - mean) / temperature).astype(similarities.dtype, copy=False)
    slopes: dict[str, Callable[[], np.ndarray | int]] = {
        "equal": lambda: 0,
        "identity": lambda: 1,
        "sigmoid": lambda: weights * (1 - weights),
        "relu": lambda: similarities > 0,
    }
    return dweights * slopes[kind]()


def _softmax_of_negatives(similarities: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """n_i times the softmax over the negatives of each row; of a row without any, 0."""
    highest = np.max(similarities, axis=1, keepdims=True, where=negatives, initial=-1e9)
    exps = np.where(negatives, np.exp(np.minimum(similarities - highest, 0)), 0)
    return exps * negatives.sum(axis=1, keepdims=True) / np.maximum(row_sums(exps), 1e-9)
