"""What the encoders of BERT's kind have in common: three embeddings that are added up, and layers of attention."""

from typing import Any

import numpy as np

from minitransformer.errors import UserError
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.stacked_encoder import StackedEncoder
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.bert_embeddings import BertEmbeddings
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.text.packed_tokens import PackedTokens


class TransformerEncoder(StackedEncoder):
    """A family overrides what it makes otherwise than BERT: `_embeddings`, or `_attention`."""

    config_type = BertConfig

    def check(self, tokens: PackedTokens) -> None:
        super().check(tokens)
        segments = self.config.type_vocab_size
        if segments and (largest := tokens.segment_ids.max(initial=0)) >= segments:
            advice = ", so it takes single texts, not pairs" if segments == 1 else ""
            raise UserError(f"segment id {largest}: this model has {segments} segment{'s' * (segments > 1)}{advice}")

    def _ids(self, tokens: PackedTokens) -> tuple[np.ndarray, ...]:
        return tokens.token_ids, tokens.segment_ids, tokens.position_ids

    def _embeddings(self) -> BertEmbeddings:
        return BertEmbeddings(*self._embeddings_arguments(self.config.hidden_size))

    def _embeddings_arguments(self, size: int) -> tuple[Any, ...]:
        config = self.config
        sizes = config.vocab_size, config.type_vocab_size, config.max_position_embeddings, size
        return *sizes, config.layer_norm_eps, config.hidden_dropout_prob, config.initializer_range

    def _layers(self) -> list[EncoderLayer]:
        return [self._layer() for _ in range(self.config.num_hidden_layers)]

    def _layer(self) -> EncoderLayer:
        config = self.config
        size, dropout, init_std = config.hidden_size, config.hidden_dropout_prob, config.initializer_range
        feed_forward = FeedForward(size, config.intermediate_size, config.activation, dropout, init_std)
        return EncoderLayer(self._attention(), feed_forward, size, config.layer_norm_eps)

    def _attention(self) -> SelfAttention:
        config = self.config
        dropouts = config.attention_probs_dropout_prob, config.hidden_dropout_prob
        return SelfAttention(config.hidden_size, config.num_attention_heads, *dropouts, config.initializer_range)
