"""How well each query goes with each product: from embeddings to similarities, and on to scores.

                    similarities               scores, whose sigmoid is a probability
    DotProduct      c_ij = a_i . b_j           s_ij = c_ij
    ScaledCosine    c_ij = cos(a_i, b_j)       s_ij = t c_ij + bias,   t = exp(log_scale)

A sigmoid of a cosine alone lies between 0.27 and 0.73, so that no pair could be surely right or surely wrong. Hence the
scale and the bias, which are learnt (Zhai et al. 2023, "SigLIP", arXiv 2303.15343, section 3.1).

Back: dc = t ds, dbias is the sum of ds, and dt, the sum of ds c, gives dlog_scale = t dt.
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
    """Similarities (S, C) of a (S, E) with b (C, E), which are the scores. Nothing is learnt."""

    def similarities_forward(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, DotProductCache]:
        return a @ b.T, DotProductCache(a, b)

    def similarities_backward(self, dc: np.ndarray, cache: DotProductCache) -> tuple[np.ndarray, np.ndarray]:
        a, b = cache
        return dc @ b, dc.T @ a

    def forward(self, c: np.ndarray) -> tuple[np.ndarray, None]:
        return c, None

    def backward(self, ds: np.ndarray, cache: None) -> np.ndarray:
        return ds


class ScaledCosineCache(NamedTuple):
    c: np.ndarray


class ScaledCosine(Module):
    """Similarities (S, C) of a (S, E) with b (C, E), and scores of them, by a scale and a bias that are learnt."""

    def __init__(self, scale: float = 10.0, bias: float = -5.0) -> None:
        self.log_scale = Parameter((1,), Constant(math.log(scale)))
        self.bias = Parameter((1,), Constant(bias))

    def similarities_forward(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, CosineCache]:
        return cosine_matrix_forward(a, b)

    def similarities_backward(self, dc: np.ndarray, cache: CosineCache) -> tuple[np.ndarray, np.ndarray]:
        return cosine_matrix_backward(dc, cache)

    def forward(self, c: np.ndarray) -> tuple[np.ndarray, ScaledCosineCache]:
        return np.exp(self.log_scale.value) * c + self.bias.value, ScaledCosineCache(c)

    def backward(self, ds: np.ndarray, cache: ScaledCosineCache) -> np.ndarray:
        scale = np.exp(self.log_scale.value)
        self.log_scale.accumulate(scale * (ds * cache.c).sum())
        self.bias.accumulate(ds.sum())
        return scale * ds


PairScore = DotProduct | ScaledCosine
