"""BERT: embeddings, a stack of encoder layers, and a pooler."""

from typing import NamedTuple

import numpy as np

from minitransformer.interop.layouts.bert import BERT
from minitransformer.models.stacked_encoder import HiddenCache
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.text.packed_tokens import PackedTokens


class BertCache(NamedTuple):
    hidden: HiddenCache
    pooler: DenseCache
    starts: np.ndarray  # (S,), the rows of [CLS]


class Bert(TransformerEncoder):
    """The encoder of Devlin et al. 2018 (arXiv 1810.04805, section 3), with its pooler.

        hidden = layers(embeddings(tokens)),   pooled = tanh(hidden[CLS] W + b)

        >>> from minitransformer import Bert, BertConfig, PackedTokens
        >>> model = Bert(BertConfig.preset("tiny", vocab_size=1000), seed=0)
        >>> tokens = PackedTokens.pack([[2, 17, 42, 3], [2, 99, 3]])
        >>> hidden, pooled = model(tokens)
        >>> hidden.shape, pooled.shape
        ((7, 128), (2, 128))

    With seed=None the parameters have no values yet: for a model that this one becomes a part of.
    """

    layout = BERT
    architecture = "BertModel"

    def _add_parts(self) -> None:
        self.pooler = Dense(self.config.hidden_size, self.config.hidden_size, "tanh", self.config.initializer_range)

    def __call__(self, tokens: PackedTokens) -> tuple[np.ndarray, np.ndarray]:
        """hidden (N, H), a row for each token, and pooled (S, H), a row for each sequence. No dropout, no cache."""
        hidden = self.hidden(tokens)
        return hidden, self.pooler(hidden[tokens.starts])

    def forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[tuple[np.ndarray, np.ndarray], BertCache]:
        """(hidden (N, H), pooled (S, H)), and the cache. Dropout happens only with an rng."""
        hidden, hidden_cache = self.hidden_forward(tokens, rng)
        pooled, pooler_cache = self.pooler.forward(hidden[tokens.starts])
        return (hidden, pooled), BertCache(hidden_cache, pooler_cache, tokens.starts)

    def backward(  # type: ignore[override]
        self, d_hidden: np.ndarray, d_pooled: np.ndarray | None, cache: BertCache
    ) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H) and d_pooled (S, H), None if unused."""
        if d_pooled is not None:
            d_hidden = d_hidden.copy()
            d_hidden[cache.starts] += self.pooler.backward(d_pooled, cache.pooler)
        self.hidden_backward(d_hidden, cache.hidden)
