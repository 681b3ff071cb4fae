"""BERT's masked-language-model head: from a row of the encoder to a score for each token of the vocabulary."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead, VocabularyHeadCache
from minitransformer.ops.layer_norm import LayerNormCache


class MaskedLMHeadCache(NamedTuple):
    transform: DenseCache
    norm: LayerNormCache
    decoder: VocabularyHeadCache


class MaskedLMHead(Module):
    """logits = decoder(norm(activation(x W + b))), for rows x (M, H); the decoder is tied to the embedding `token`.

    Devlin et al. 2018, section 3.1, and the published code.
    """

    def __init__(self, token: Embedding, activation: str, eps: float, init_std: float) -> None:
        _, size = token.table.shape
        self.transform = Dense(size, size, activation, init_std)
        self.norm = LayerNorm(size, eps)
        self.decoder = BiasedVocabularyHead(token)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.decoder(self.norm(self.transform(x)))

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, MaskedLMHeadCache]:
        """logits (M, V) of x (M, H), and the cache."""
        x, transform_cache = self.transform.forward(x)
        x, norm_cache = self.norm.forward(x)
        logits, decoder_cache = self.decoder.forward(x)
        return logits, MaskedLMHeadCache(transform_cache, norm_cache, decoder_cache)

    def backward(self, dlogits: np.ndarray, cache: MaskedLMHeadCache) -> np.ndarray:
        dx = self.decoder.backward(dlogits, cache.decoder)
        dx = self.norm.backward(dx, cache.norm)
        return self.transform.backward(dx, cache.transform)
