"""The masked-language-model head: from a row of the encoder to a score for each token of the vocabulary."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.activation import Activation
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, zeros
from minitransformer.ops.layer_norm import LayerNormCache
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.tied_decoder import TiedDecoderCache, tied_decoder_backward, tied_decoder_forward


class MaskedLMHeadCache(NamedTuple):
    transform: LinearCache
    activation: Any
    norm: LayerNormCache
    decoder: TiedDecoderCache


class MaskedLMHead(Module):
    """logits = norm(activation(x W + b)) table^T + bias, for rows x (M, H); table (V, H) is that of `token`.

    In BERT that is the token embedding, and its table is trained from both ends: by the tokens looked up in it and by
    the scores computed with it (Devlin et al. 2018, section 3.1 and the published code). An untied model
    (tie_word_embeddings false) gives the head an embedding that serves nothing else. The bias (V,) is the head's own.
    """

    def __init__(self, token: Embedding, activation: Activation, eps: float, init_std: float) -> None:
        vocab_size, size = token.table.shape
        self.table = token.table
        self.transform = Linear(size, size, init_std)
        self.activation = activation
        self.norm = LayerNorm(size, eps)
        self.bias = Parameter((vocab_size,), zeros)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = self.transform(x)
        x = self.norm(self.activation.function(x))
        return tied_decoder_forward(x, self.table.value, self.bias.value)[0]

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, MaskedLMHeadCache]:
        """logits (M, V) of x (M, H), and the cache."""
        x, transform = self.transform.forward(x)
        x, activation = self.activation.forward(x)
        x, norm = self.norm.forward(x)
        logits, decoder = tied_decoder_forward(x, self.table.value, self.bias.value)
        return logits, MaskedLMHeadCache(transform, activation, norm, decoder)

    def backward(self, dlogits: np.ndarray, cache: MaskedLMHeadCache) -> np.ndarray:
        dx, dtable, dbias = tied_decoder_backward(dlogits, cache.decoder)
        self.table.accumulate(dtable)
        self.bias.accumulate(dbias)
        dx = self.norm.backward(dx, cache.norm)
        dx = self.activation.backward(dx, cache.activation)
        return self.transform.backward(dx, cache.transform)
