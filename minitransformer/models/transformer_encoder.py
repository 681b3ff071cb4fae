"""What the encoders of BERT's kind have in common: embeddings, and a stack of layers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.encoder import Encoder
from minitransformer.models.id_check import check_ids
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.bert_embeddings import BertEmbeddings, BertEmbeddingsCache
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.stack import Stack
from minitransformer.text.packed_tokens import PackedTokens


class HiddenCache(NamedTuple):
    embeddings: BertEmbeddingsCache | None  # None if they are frozen
    layers: list[Any]


class TransformerEncoder(PretrainedModel[BertConfig], Encoder):
    """hidden = layers(embeddings(tokens)), a row for each token.

    A family overrides what it makes otherwise than BERT: `_embeddings`, or `_attention`. The seed None leaves the
    parameters without values: for a model that this one becomes a part of.
    """

    config_type = BertConfig

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.hidden_size = config.hidden_size
        self.embeddings = self._embeddings()
        self.layers = Stack([self._layer() for _ in range(config.num_hidden_layers)])
        self._add_parts()
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens) -> Any:
        """hidden (N, H) for inference: no dropout, no cache."""
        return self.hidden(tokens)

    def forward(self, tokens: PackedTokens, rng: np.random.Generator | None = None) -> tuple[Any, Any]:
        """hidden (N, H), and the cache. Dropout happens only with an rng."""
        return self.hidden_forward(tokens, rng)

    def backward(self, *gradients_and_cache: Any) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H) and the cache."""
        self.hidden_backward(*gradients_and_cache)

    def hidden(self, tokens: PackedTokens) -> np.ndarray:
        """hidden (N, H) alone, for inference."""
        return self.layers(self.embedded(tokens), tokens.lengths)

    def embedded(self, tokens: PackedTokens) -> np.ndarray:
        """x (N, H), what goes into the first layer, for inference."""
        self.check(tokens)
        return self.embeddings(tokens.token_ids, tokens.segment_ids, tokens.position_ids)

    def hidden_forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, HiddenCache]:
        """hidden (N, H), and the cache. Dropout happens only with an rng, and not in what is frozen at the bottom."""
        self.check(tokens)
        ids = tokens.token_ids, tokens.segment_ids, tokens.position_ids
        if self.embeddings.is_trained:
            x, embeddings_cache = self.embeddings.forward(*ids, rng)
        else:
            x, embeddings_cache = self.embeddings(*ids), None
        hidden, layer_caches = self.layers.forward(x, tokens.lengths, rng, x_is_frozen=embeddings_cache is None)
        return hidden, HiddenCache(embeddings_cache, layer_caches)

    def hidden_backward(self, d_hidden: np.ndarray, cache: HiddenCache) -> None:
        dx = self.layers.backward(d_hidden, cache.layers)
        if dx is not None and cache.embeddings is not None:
            self.embeddings.backward(dx, cache.embeddings)

    def check(self, tokens: PackedTokens) -> None:
        """The ids must have rows in the tables; a larger one would end in an IndexError without a word on why."""
        config, segments = self.config, self.config.type_vocab_size
        check_ids(tokens.token_ids, config.vocab_size, "token id {} is outside the vocabulary of {} tokens")
        check_ids(tokens.position_ids, config.num_positions, "position {} is outside the {} positions")
        if segments and (largest := tokens.segment_ids.max(initial=0)) >= segments:
            advice = ", so it takes single texts, not pairs" if segments == 1 else ""
            raise UserError(f"segment id {largest}: this model has {segments} segment{'s' * (segments > 1)}{advice}")

    def _add_parts(self) -> None:
        """What comes after the layers."""

    def _embeddings(self) -> BertEmbeddings:
        return BertEmbeddings(*self._embeddings_arguments(self.config.hidden_size))

    def _embeddings_arguments(self, size: int) -> tuple[Any, ...]:
        config = self.config
        sizes = config.vocab_size, config.type_vocab_size, config.max_position_embeddings, size
        return *sizes, config.layer_norm_eps, config.hidden_dropout_prob, config.initializer_range

    def _layer(self) -> EncoderLayer:
        config = self.config
        size, dropout, init_std = config.hidden_size, config.hidden_dropout_prob, config.initializer_range
        feed_forward = FeedForward(size, config.intermediate_size, config.activation, dropout, init_std)
        return EncoderLayer(self._attention(), feed_forward, size, config.layer_norm_eps)

    def _attention(self) -> SelfAttention:
        config = self.config
        dropouts = config.attention_probs_dropout_prob, config.hidden_dropout_prob
        return SelfAttention(config.hidden_size, config.num_attention_heads, *dropouts, config.initializer_range)
