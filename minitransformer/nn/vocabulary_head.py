"""The vocabulary head: from a row of a model to a score for each token of the vocabulary."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.ops.sums import column_sums


class VocabularyHeadCache(NamedTuple):
    x: np.ndarray  # (M, H)
    table: np.ndarray  # (V, H)


class VocabularyHead(Module):
    """logits = x table^T, for rows x (M, H); table (V, H) is that of `token`.

    That is the token embedding where the two are tied, and its table is then trained from both ends: by the tokens
    looked up in it and by the scores computed with it (Press, Wolf 2017, arXiv 1608.05859). A model that isn't tied
    gives the head an embedding that serves nothing else.

    It is a linear layer with W = table^T, so backwards dx = dlogits table and dtable = dlogits^T x.
    """

    def __init__(self, token: Embedding) -> None:
        self.table = token.table

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, VocabularyHeadCache]:
        """logits (M, V) of x (M, H), and the cache."""
        table = self.table.value
        return x @ table.T, VocabularyHeadCache(x, table)

    def backward(self, dlogits: np.ndarray, cache: VocabularyHeadCache) -> np.ndarray:
        x, table = cache
        self.table.accumulate_product(dlogits.T, x)
        return dlogits @ table


class BiasedVocabularyHead(VocabularyHead):
    """logits = x table^T + bias, as BERT has it; the bias (V,) is the head's own, tied or not."""

    def __init__(self, token: Embedding) -> None:
        super().__init__(token)
        self.bias = Parameter((token.table.shape[0],), zeros)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, VocabularyHeadCache]:
        logits, cache = super().forward(x)
        logits += self.bias.value
        return logits, cache

    def backward(self, dlogits: np.ndarray, cache: VocabularyHeadCache) -> np.ndarray:
        self.bias.accumulate(column_sums(dlogits))
        return super().backward(dlogits, cache)
