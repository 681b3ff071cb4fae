"""Seq2Seq: an encoder that reads a source, and a decoder that writes a target while it looks at the source."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.hub import ModelName
from minitransformer.interop.layouts.marian import MARIAN
from minitransformer.interop.loading import Checkpoint, Heads, is_untied
from minitransformer.models.seq2seq_config import Seq2SeqConfig
from minitransformer.models.translator import Translator
from minitransformer.nn.attention import CrossAttention, SelfAttention
from minitransformer.nn.decoder_layer import DecoderLayer, SeenWithSource
from minitransformer.nn.decoder_stack import DecoderStack
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.parameter import Normal, Uniform
from minitransformer.nn.sinusoidal_embeddings import SinusoidalEmbeddings, SinusoidalEmbeddingsCache
from minitransformer.nn.stack import Stack
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead
from minitransformer.text.packed_tokens import PackedTokens

LAYER_NORM_EPS = 1e-5


class Seq2SeqCache(NamedTuple):
    source_embeddings: SinusoidalEmbeddingsCache
    encoder: list[Any]
    target_embeddings: SinusoidalEmbeddingsCache
    decoder: list[Any]


class Seq2Seq(Translator[Seq2SeqConfig]):
    """The Transformer of Vaswani et al. 2017 ("Attention Is All You Need"), encoder and decoder.

        source = encoder(embeddings(sources)),   hidden = decoder(embeddings(targets, shifted), source)
        logits = hidden table^T + bias,   loss = mean of the smoothed -log p(target token), over all target tokens

        >>> from minitransformer import PackedTokens, Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig.preset("tiny", vocab_size=100), seed=0)
        >>> sources, targets = PackedTokens.pack([[17, 42, 0], [99, 0]]), PackedTokens.pack([[5, 0], [8, 8, 0]])
        >>> loss, cache = model.forward(sources, targets)
        >>> model.backward(cache)

    What sources and targets are is said in Translator. One table serves both inputs and the head; the head's bias,
    which the paper hasn't, is Marian's (transformers' final_logits_bias).
    The seed None leaves the parameters without values: for a model that this one becomes a part of.
    """

    config_type = Seq2SeqConfig
    layout = MARIAN
    architecture = "MarianMTModel"

    def __init__(self, config: Seq2SeqConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.hidden_size = config.hidden_size
        self.embeddings = SinusoidalEmbeddings(config.vocab_size, config.hidden_size, config.hidden_dropout_prob)
        self.encoder = Stack([_encoder_layer(config) for _ in range(config.num_encoder_layers)])
        self.decoder = DecoderStack([_decoder_layer(config) for _ in range(config.num_decoder_layers)])
        self.head = BiasedVocabularyHead(self.embeddings.token)
        self._choose_first_weights()
        if seed is not None:
            self.initialise(seed, dtype)

    def _hidden_forward(
        self, sources: PackedTokens, inputs: PackedTokens, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, Seq2SeqCache]:
        x, source_embeddings_cache = self.embeddings.forward(sources.token_ids, sources.position_ids, rng)
        source, encoder_caches = self.encoder.forward(x, sources.lengths, rng)
        x, target_embeddings_cache = self.embeddings.forward(inputs.token_ids, inputs.position_ids, rng)
        hidden, decoder_caches = self.decoder.forward(x, inputs.lengths, source, sources.lengths, rng)
        return hidden, Seq2SeqCache(source_embeddings_cache, encoder_caches, target_embeddings_cache, decoder_caches)

    def _hidden_backward(self, d_hidden: np.ndarray, cache: Seq2SeqCache) -> None:
        dx, d_source = self.decoder.backward(d_hidden, cache.decoder)
        self.embeddings.backward(dx, cache.target_embeddings)
        d_embeddings = self.encoder.backward(d_source, cache.encoder)
        assert d_embeddings is not None  # no layer here runs as a frozen one
        self.embeddings.backward(d_embeddings, cache.source_embeddings)

    def encode(self, sources: PackedTokens) -> np.ndarray:
        """source (M, H), what the decoder looks at."""
        self._check(sources, "source")
        return self.encoder(self.embeddings(sources.token_ids, sources.position_ids), sources.lengths)

    def embedded_targets(self, targets: PackedTokens) -> np.ndarray:
        """x (N, H), what goes into the decoder when the targets are known."""
        self._check(targets, "target")
        inputs = self._shifted(targets)
        return self.embeddings(inputs.token_ids, inputs.position_ids)

    def over(self, sources: PackedTokens) -> "DecoderOverSources":
        return DecoderOverSources(self, sources)

    def source_weights(self, source: PackedTokens, target: PackedTokens) -> np.ndarray:
        rows, x, maps = self.encode(source), self.embedded_targets(target), []
        for layer in self.decoder:
            maps.append(layer.source_weights(x, rows))
            x, _ = layer.forward(x, target.lengths, rows, source.lengths)
        return np.stack(maps)

    def __repr__(self) -> str:
        config = self.config
        layers = f"{config.num_encoder_layers} + {config.num_decoder_layers} layers"
        return f"Seq2Seq({layers}, hidden size {config.hidden_size}, {self.num_parameters:,} parameters)"

    def _choose_first_weights(self) -> None:
        """Glorot, Bengio 2010, equation 16, for the matrices; the table's numbers are about 1 / sqrt(H)."""
        for _, parameter in self.named_parameters():
            if len(parameter.shape) == 2:
                parameter.initialiser = Uniform(math.sqrt(6 / sum(parameter.shape)))
        self.embeddings.token.table.initialiser = Normal(1 / math.sqrt(self.config.hidden_size))

    @classmethod
    def from_pretrained(
        cls, name: ModelName, dtype: DTypeLike = np.float32, seed: int = 0, needed: Heads | None = ()
    ) -> Self:
        """As PretrainedModel's; a file without final_logits_bias means that it is 0, as it is to transformers."""
        return super().from_pretrained(name, dtype, seed, needed)

    @classmethod
    def _read_config(cls, folder: Path, tensors: Checkpoint) -> Seq2SeqConfig:
        if is_untied(MARIAN.tensors, tensors):
            raise UserError(f"{tensors.file} has other embeddings in its decoder or head; here all are one table")
        return super()._read_config(folder, tensors)


class DecoderOverSources:
    """The decoder of a Seq2Seq with S sources: a language model of their targets, as generation sees it."""

    def __init__(self, model: Seq2Seq, sources: PackedTokens) -> None:
        self.config, self.head = model.config, model.head
        self._model = model
        source = model.encode(sources)
        self._sources = [layer.cross_attention.key_values(source, sources.lengths) for layer in model.decoder]

    def key_values(self, num_sequences: int) -> list[SeenWithSource]:
        """What each layer knows at the start of the S targets: the sources, and as yet nothing of the targets."""
        size, dtype = self.config.hidden_size, self._model.dtype
        return [SeenWithSource(KeyValues(num_sequences, size, dtype), source) for source in self._sources]

    def hidden(self, tokens: PackedTokens, seen: Sequence[SeenWithSource]) -> np.ndarray:
        """hidden (N, H) of tokens that continue the S targets, as far as they were seen; they are remembered."""
        tokens = tokens.after(seen[0].lengths)
        self._model._check(tokens, "target")
        x = self._model.embeddings(tokens.token_ids, tokens.position_ids)
        return self._model.decoder(x, tokens.lengths, seen)


def _encoder_layer(config: Seq2SeqConfig) -> EncoderLayer:
    size = config.hidden_size
    return EncoderLayer(SelfAttention(*_attention_sizes(config)), _feed_forward(config), size, LAYER_NORM_EPS)


def _decoder_layer(config: Seq2SeqConfig) -> DecoderLayer:
    self_attention = SelfAttention(*_attention_sizes(config), causal=True)
    cross_attention = CrossAttention(*_attention_sizes(config))
    return DecoderLayer(self_attention, cross_attention, _feed_forward(config), config.hidden_size, LAYER_NORM_EPS)


def _attention_sizes(config: Seq2SeqConfig) -> tuple[int, int, float, float]:
    dropouts = config.attention_probs_dropout_prob, config.hidden_dropout_prob
    return config.hidden_size, config.num_attention_heads, *dropouts


def _feed_forward(config: Seq2SeqConfig) -> FeedForward:
    return FeedForward(config.hidden_size, config.intermediate_size, config.activation, config.hidden_dropout_prob)
