"""BERT: embeddings, a stack of encoder layers, and a pooler."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.layouts.bert import BERT
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.activation import ACTIVATIONS
from minitransformer.nn.attention import MultiHeadSelfAttention
from minitransformer.nn.bert_embeddings import BertEmbeddings, BertEmbeddingsCache
from minitransformer.nn.encoder_layer import EncoderLayer, EncoderLayerCache
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.pooler import Pooler, PoolerCache
from minitransformer.text.packed_tokens import PackedTokens


class BertCache(NamedTuple):
    embeddings: BertEmbeddingsCache | None  # None if they and the layers were frozen
    layers: list[EncoderLayerCache]
    pooler: PoolerCache
    starts: np.ndarray  # (S,), the rows of [CLS]


class Bert(PretrainedModel[BertConfig]):
    """The encoder of Devlin et al. 2018 (arXiv 1810.04805, section 3), with its pooler.

        >>> from minitransformer import Bert, BertConfig, PackedTokens
        >>> model = Bert(BertConfig.preset("tiny", vocab_size=1000), seed=0)
        >>> tokens = PackedTokens.pack([[2, 17, 42, 3], [2, 99, 3]])
        >>> hidden, pooled = model(tokens)
        >>> hidden.shape, pooled.shape
        ((7, 128), (2, 128))

    The seed None leaves the parameters without values: for a model that this one becomes a part of.
    """

    config_type = BertConfig
    layout = BERT
    architecture = "BertModel"

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.embeddings = BertEmbeddings(
            config.vocab_size,
            config.type_vocab_size,
            config.max_position_embeddings,
            config.hidden_size,
            config.layer_norm_eps,
            config.hidden_dropout_prob,
            config.initializer_range,
        )
        self.layers = [_encoder_layer(config) for _ in range(config.num_hidden_layers)]
        self.pooler = Pooler(config.hidden_size, config.initializer_range)
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens) -> tuple[np.ndarray, np.ndarray]:
        """hidden (N, H), a row for each token, and pooled (S, H), a row for each sentence. No dropout, no cache."""
        hidden = self.hidden(tokens)
        return hidden, self.pooler(hidden[tokens.starts])

    def hidden(self, tokens: PackedTokens) -> np.ndarray:
        """hidden (N, H) alone: what a call gives first, without the pooler, which not everybody needs."""
        self._check(tokens)
        x = self.embeddings(tokens.token_ids, tokens.segment_ids, tokens.position_ids)
        for layer in self.layers:
            x = layer(x, tokens.lengths)
        return x

    def forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None, frozen: bool = False
    ) -> tuple[tuple[np.ndarray, np.ndarray], BertCache]:
        """(hidden (N, H), pooled (S, H)), and the cache. Dropout happens only with an rng.

        With `frozen`, embeddings and layers have neither dropout nor gradients: only what is above them is trained.
        """
        if frozen:
            x = self.hidden(tokens)
            pooled, pooler = self.pooler.forward(x[tokens.starts])
            return (x, pooled), BertCache(None, [], pooler, tokens.starts)
        self._check(tokens)
        x, embeddings = self.embeddings.forward(tokens.token_ids, tokens.segment_ids, tokens.position_ids, rng)
        layers = []
        for layer in self.layers:
            x, cache = layer.forward(x, tokens.lengths, rng)
            layers.append(cache)
        pooled, pooler = self.pooler.forward(x[tokens.starts])
        return (x, pooled), BertCache(embeddings, layers, pooler, tokens.starts)

    def backward(self, d_hidden: np.ndarray, d_pooled: np.ndarray | None, cache: BertCache) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H) and d_pooled (S, H), None if unused."""
        dx = d_hidden
        if d_pooled is not None:
            dx = dx.copy()
            dx[cache.starts] += self.pooler.backward(d_pooled, cache.pooler)
        if cache.embeddings is None:
            return
        for layer, layer_cache in zip(reversed(self.layers), reversed(cache.layers), strict=True):
            dx = layer.backward(dx, layer_cache)
        self.embeddings.backward(dx, cache.embeddings)

    def _check(self, tokens: PackedTokens) -> None:
        """The ids must have rows in the tables; a larger one would end in an IndexError without a word on why."""
        for ids, limit, what in (
            (tokens.token_ids, self.config.vocab_size, "token id {} is outside the vocabulary of {} tokens"),
            (tokens.segment_ids, self.config.type_vocab_size, "segment id {} is outside the {} segments"),
            (tokens.position_ids, self.config.max_position_embeddings, "position {} is outside the {} positions"),
        ):
            if len(ids) and ids.max() >= limit:
                raise UserError(what.format(ids.max(), limit) + " of this model; shorten or re-tokenise the text")


def _encoder_layer(config: BertConfig) -> EncoderLayer:
    attention = MultiHeadSelfAttention(
        config.hidden_size,
        config.num_attention_heads,
        config.attention_probs_dropout_prob,
        config.hidden_dropout_prob,
        config.initializer_range,
    )
    feed_forward = FeedForward(
        config.hidden_size,
        config.intermediate_size,
        ACTIVATIONS[config.activation],
        config.hidden_dropout_prob,
        config.initializer_range,
    )
    return EncoderLayer(attention, feed_forward, config.hidden_size, config.layer_norm_eps)
