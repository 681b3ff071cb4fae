"""The vocabulary head: from a row of a model to a score for each token of the vocabulary."""

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.ops.linear import LinearCache, linear_forward
from minitransformer.ops.sums import column_sums


class VocabularyHead(Module):
    """logits = x table^T + bias, for rows x (M, H); table (V, H) is that of `token`.

    That is the token embedding where the two are tied, and its table is then trained from both ends: by the tokens
    looked up in it and by the scores computed with it (Press, Wolf 2017, arXiv 1608.05859). A model that isn't tied
    gives the head an embedding that serves nothing else. The bias (V,) is the head's own.

    It is a linear layer with W = table^T, so backwards dx = dlogits table and dtable = dlogits^T x.
    """

    def __init__(self, token: Embedding) -> None:
        self.table = token.table
        self.bias = Parameter((token.table.shape[0],), zeros)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, LinearCache]:
        """logits (M, V) of x (M, H), and the cache."""
        return linear_forward(x, self.table.value.T, self.bias.value)

    def backward(self, dlogits: np.ndarray, cache: LinearCache) -> np.ndarray:
        x, weight = cache
        self.table.accumulate_product(dlogits.T, x)
        self.bias.accumulate(column_sums(dlogits))
        return dlogits @ weight.T
