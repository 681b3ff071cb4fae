"""BERT: embeddings, a stack of encoder layers, and a pooler."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.interop.layouts.bert import BERT
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.encoder import Encoder
from minitransformer.models.id_check import check_ids, check_tokens
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.bert_embeddings import BertEmbeddings, BertEmbeddingsCache
from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.stack import Stack
from minitransformer.text.packed_tokens import PackedTokens


class BertHiddenCache(NamedTuple):
    embeddings: BertEmbeddingsCache | None  # None if they are frozen
    layers: list[Any]


class BertCache(NamedTuple):
    hidden: BertHiddenCache
    pooler: DenseCache
    starts: np.ndarray  # (S,), the rows of [CLS]


class Bert(PretrainedModel[BertConfig], Encoder):
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

    config_type = BertConfig
    layout = BERT
    architecture = "BertModel"

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.hidden_size = config.hidden_size
        dropout, init_std = config.hidden_dropout_prob, config.initializer_range
        sizes = config.vocab_size, config.type_vocab_size, config.max_position_embeddings, config.hidden_size
        self.embeddings = BertEmbeddings(*sizes, config.layer_norm_eps, dropout, init_std)
        self.layers = Stack([_encoder_layer(config) for _ in range(config.num_hidden_layers)])
        self.pooler = Dense(config.hidden_size, config.hidden_size, "tanh", init_std)
        if seed is not None:
            self.initialise(seed, dtype)

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

    def backward(self, d_hidden: np.ndarray, d_pooled: np.ndarray | None, cache: BertCache) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H) and d_pooled (S, H), None if unused."""
        if d_pooled is not None:
            d_hidden = d_hidden.copy()
            d_hidden[cache.starts] += self.pooler.backward(d_pooled, cache.pooler)
        self.hidden_backward(d_hidden, cache.hidden)

    def hidden(self, tokens: PackedTokens) -> np.ndarray:
        """hidden (N, H) alone: what a call gives first, without the pooler, which not everybody needs."""
        self._check(tokens)
        x = self.embeddings(tokens.token_ids, tokens.segment_ids, tokens.position_ids)
        return self.layers(x, tokens.lengths)

    def hidden_forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, BertHiddenCache]:
        """hidden (N, H), and the cache. Dropout happens only with an rng, and not in what is frozen at the bottom."""
        self._check(tokens)
        ids = tokens.token_ids, tokens.segment_ids, tokens.position_ids
        if self.embeddings.is_trained:
            x, embeddings_cache = self.embeddings.forward(*ids, rng)
        else:
            x, embeddings_cache = self.embeddings(*ids), None
        hidden, layer_caches = self.layers.forward(x, tokens.lengths, rng, x_is_frozen=embeddings_cache is None)
        return hidden, BertHiddenCache(embeddings_cache, layer_caches)

    def hidden_backward(self, d_hidden: np.ndarray, cache: BertHiddenCache) -> None:
        dx = self.layers.backward(d_hidden, cache.layers)
        if dx is not None and cache.embeddings is not None:
            self.embeddings.backward(dx, cache.embeddings)

    def _check(self, tokens: PackedTokens) -> None:
        check_tokens(tokens, self.config)
        check_ids(
            tokens.segment_ids, self.config.type_vocab_size, "segment id {} is outside the {} segments of this model"
        )


def _encoder_layer(config: BertConfig) -> EncoderLayer:
    size, dropout, init_std = config.hidden_size, config.hidden_dropout_prob, config.initializer_range
    attention = SelfAttention(size, config.num_attention_heads, config.attention_probs_dropout_prob, dropout, init_std)
    feed_forward = FeedForward(size, config.intermediate_size, config.activation, dropout, init_std)
    return EncoderLayer(attention, feed_forward, size, config.layer_norm_eps)
