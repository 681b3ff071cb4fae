"""The vocabulary head: from a row of a model to a score for each token of the vocabulary."""

from __future__ import annotations

import numpy as np

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.ops.tied_decoder import TiedDecoderCache, tied_decoder_backward, tied_decoder_forward


class VocabularyHead(Module):
    """logits = x table^T + bias, for rows x (M, H); table (V, H) is that of `token`.

    That is the token embedding where the two are tied, and its table is then trained from both ends: by the tokens
    looked up in it and by the scores computed with it (Press, Wolf 2017, arXiv 1608.05859). A model that isn't tied
    gives the head an embedding that serves nothing else. The bias (V,) is the head's own.
    """

    def __init__(self, token: Embedding) -> None:
        self.table = token.table
        self.bias = Parameter((token.table.shape[0],), zeros)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, TiedDecoderCache]:
        """logits (M, V) of x (M, H), and the cache."""
        return tied_decoder_forward(x, self.table.value, self.bias.value)

    def backward(self, dlogits: np.ndarray, cache: TiedDecoderCache) -> np.ndarray:
        dx, dtable, dbias = tied_decoder_backward(dlogits, cache)
        self.table.accumulate(dtable)
        self.bias.accumulate(dbias)
        return dx
