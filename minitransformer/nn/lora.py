"""LoRA: a linear layer that keeps its weight and learns a change of low rank beside it."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.dense import Dense
from minitransformer.nn.linear import Linear
from minitransformer.nn.parameter import Parameter
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.low_rank import LowRankCache, low_rank_backward, low_rank_forward


class LoraCache(NamedTuple):
    linear: LinearCache
    dropout: DropoutCache
    update: LowRankCache


class LoraLinear(Linear):
    """y = x W + b + s dropout(x) A B, for x (N, in) and y (N, out), with A (in, r) and B (r, out).

    Made from a linear layer, whose W and b it takes over, frozen or not. A may belong to several layers: to the query,
    key and value of GPT-2, which share theirs.

    Hu et al. 2021 (arXiv 2106.09685), section 4.1.
    """

    def __init__(self, linear: Linear, lora_a: Parameter, lora_b: Parameter, scale: float, lora_dropout: float) -> None:
        vars(self).update(vars(linear))
        self.lora_a = lora_a
        self.lora_b = lora_b
        self.scale = scale
        self.lora_dropout = lora_dropout

    def forward(  # type: ignore[override]
        self, x: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, LoraCache]:
        """y (N, out) of x (N, in), and the cache; dropout happens only with an rng."""
        y, linear_cache = super().forward(x)
        x, dropout_cache = dropout_forward(x, self.lora_dropout, rng)
        update, update_cache = low_rank_forward(x, self.lora_a.value, self.lora_b.value, self.scale)
        y += update
        return y, LoraCache(linear_cache, dropout_cache, update_cache)

    def backward(self, dy: np.ndarray, cache: LoraCache) -> np.ndarray:  # type: ignore[override]
        dx_of_update, da, db = low_rank_backward(dy, cache.update)
        self.lora_a.accumulate(da)
        self.lora_b.accumulate(db)
        return super().backward(dy, cache.linear) + dropout_backward(dx_of_update, cache.dropout)


class LoraDense(Dense, LoraLinear):  # type: ignore[misc]  # their caches differ, and each knows its own
    """y = activation(x W + b + s dropout(x) A B): Dense, whose linear layer is a LoraLinear."""

    __init__ = LoraLinear.__init__
