"""How well each query goes with each product, from the embeddings of both: a score, whose sigmoid is a probability.

    DotProduct      s_ij = a_i . b_j
    ScaledCosine    s_ij = t cos(a_i, b_j) + bias,   t = exp(log_scale)

A sigmoid of a cosine alone lies between 0.27 and 0.73, so that no pair could be surely right or surely wrong. Hence the
scale and the bias, which are learnt (Zhai et al. 2023, "SigLIP", arXiv 2303.15343, section 3.1).

Back, for the scaled cosine: dcos = t ds, dbias is the sum of ds, and dt = sum of ds cos gives dlog_scale = t dt.
"""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Constant, Parameter
from minitransformer.ops.cosine_similarity import CosineCache, cosine_matrix_backward, cosine_matrix_forward


class DotProductCache(NamedTuple):
    a: np.ndarray
    b: np.ndarray


class DotProduct(Module):
    """Scores (S, C) of a (S, E) with b (C, E). Nothing is learnt."""

    def forward(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, DotProductCache]:
        return a @ b.T, DotProductCache(a, b)

    def backward(self, dscores: np.ndarray, cache: DotProductCache) -> tuple[np.ndarray, np.ndarray]:
        a, b = cache
        return dscores @ b, dscores.T @ a


class ScaledCosineCache(NamedTuple):
    cosines: np.ndarray
    rows: CosineCache


class ScaledCosine(Module):
    """Scores (S, C) of a (S, E) with b (C, E): cosines, times a scale that is learnt, and a bias."""

    def __init__(self, scale: float = 10.0, bias: float = -5.0) -> None:
        self.log_scale = Parameter((1,), Constant(math.log(scale)))
        self.bias = Parameter((1,), Constant(bias))

    def forward(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ScaledCosineCache]:
        cosines, rows = cosine_matrix_forward(a, b)
        return np.exp(self.log_scale.value) * cosines + self.bias.value, ScaledCosineCache(cosines, rows)

    def backward(self, dscores: np.ndarray, cache: ScaledCosineCache) -> tuple[np.ndarray, np.ndarray]:
        cosines, rows = cache
        scale = np.exp(self.log_scale.value)
        self.log_scale.accumulate(scale * (dscores * cosines).sum())
        self.bias.accumulate(dscores.sum())
        return cosine_matrix_backward(scale * dscores, rows)


PairScore = DotProduct | ScaledCosine
