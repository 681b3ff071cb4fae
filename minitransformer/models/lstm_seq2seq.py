"""LSTM to LSTM: one reads the source, and its last state is where the other begins to write the target."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.layouts.lstm_seq2seq import LSTM_SEQ2SEQ
from minitransformer.models.lstm_seq2seq_config import LstmSeq2SeqConfig
from minitransformer.models.translator import Translator
from minitransformer.nn.bahdanau_decoder import BahdanauDecoder
from minitransformer.nn.lstm import Lstm, LstmState
from minitransformer.nn.lstm_decoder import LstmDecoder, LuongDecoder, Sources
from minitransformer.nn.vocabulary_head import BiasedVocabularyHead
from minitransformer.nn.word_embeddings import WordEmbeddings, WordEmbeddingsCache
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.lstm import LstmCache
from minitransformer.text.packed_tokens import PackedTokens

DECODERS: dict[str, type[LstmDecoder]] = {"luong": LuongDecoder, "bahdanau": BahdanauDecoder, "none": LstmDecoder}


class LstmSeq2SeqCache(NamedTuple):
    sources: WordEmbeddingsCache
    encoder: LstmCache
    targets: WordEmbeddingsCache
    decoder: Any  # of the decoder that the config names
    dropout: DropoutCache


class LstmSeq2Seq(Translator[LstmSeq2SeqConfig]):
    """Sutskever et al. 2014 (arXiv 1409.3215), with the attention of Luong et al. 2015 or of Bahdanau et al. 2015.

        source, state = encoder(table[sources])
        hidden = decoder(table[targets, shifted], from that state, source),   logits = hidden table^T + bias

    Without attention, all that the decoder learns of a source is in 2 H numbers, whatever its length. Each is one
    layer in one direction. One table serves both inputs and the head, as in Seq2Seq, whose loss and calls it shares.
    """

    config_type = LstmSeq2SeqConfig
    layout = LSTM_SEQ2SEQ
    architecture = "LstmSeq2Seq"

    def __init__(self, config: LstmSeq2SeqConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        size = self.hidden_size = config.hidden_size
        self.embeddings = WordEmbeddings(config.vocab_size, size, config.hidden_dropout_prob, init_std=size**-0.5)
        self.encoder, self.decoder = Lstm(size, size), DECODERS[config.attention](size, size)
        self.head = BiasedVocabularyHead(self.embeddings.token)
        if seed is not None:
            self.initialise(seed, dtype)

    def _hidden_forward(
        self, sources: PackedTokens, inputs: PackedTokens, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, LstmSeq2SeqCache]:
        x, sources_cache = self.embeddings.forward(sources.token_ids, rng)
        source, state, encoder_cache = self.encoder.forward_from(self.encoder.start(len(sources)), x, sources.lengths)
        x, targets_cache = self.embeddings.forward(inputs.token_ids, rng)
        seen = self.decoder.sources(source, sources.lengths)
        hidden, _, decoder_cache = self.decoder.forward_from(state, x, inputs.lengths, seen)
        hidden, dropout_cache = dropout_forward(hidden, self.config.hidden_dropout_prob, rng)
        return hidden, LstmSeq2SeqCache(sources_cache, encoder_cache, targets_cache, decoder_cache, dropout_cache)

    def _hidden_backward(self, d_hidden: np.ndarray, cache: LstmSeq2SeqCache) -> None:
        d_hidden = dropout_backward(d_hidden, cache.dropout)
        dx, d_state, d_source = self.decoder.backward_to(d_hidden, cache.decoder)
        self.embeddings.backward(dx, cache.targets)
        dx, _ = self.encoder.backward_to(d_source, d_state, cache.encoder)
        self.embeddings.backward(dx, cache.sources)

    def encode(self, sources: PackedTokens) -> tuple[np.ndarray, LstmState]:
        """source (M, H), what the decoder looks at, and the states (S, H) that it begins with."""
        self._check(sources, "source")
        x = self.embeddings(sources.token_ids)
        source, state, _ = self.encoder.forward_from(self.encoder.start(len(sources)), x, sources.lengths)
        return source, state

    def over(self, sources: PackedTokens) -> "RecurrentDecoder":
        return RecurrentDecoder(self, sources)

    def source_weights(self, source: PackedTokens, target: PackedTokens) -> np.ndarray:
        if self.config.attention == "none":
            raise UserError("this LSTM has no attention: it looks at nothing while it writes")
        self._check(target, "target")
        rows, state = self.encode(source)
        return self.decoder.source_weights(state, self.embeddings(self._shifted(target).token_ids), rows)[None, None]

    def __repr__(self) -> str:
        sizes = f"hidden size {self.hidden_size}, {self.num_parameters:,} parameters"
        return f"LstmSeq2Seq(attention {self.config.attention}, {sizes})"


class SeenByRecurrence:
    """What a recurrent decoder knows of S targets so far: a state each, and their sources."""

    def __init__(self, state: LstmState, sources: Sources) -> None:
        self.state, self.sources = state, sources

    def select(self, sequences: np.ndarray) -> "SeenByRecurrence":
        """As KeyValues.select."""
        state = LstmState(self.state.h[sequences], self.state.c[sequences])
        return SeenByRecurrence(state, self.sources.select(sequences))


class RecurrentDecoder:
    """The decoder of an LstmSeq2Seq with S sources that it has read."""

    def __init__(self, model: LstmSeq2Seq, sources: PackedTokens) -> None:
        self.config, self.head = model.config, model.head
        self._model = model
        source, state = model.encode(sources)
        self._start = SeenByRecurrence(state, model.decoder.sources(source, sources.lengths))

    def key_values(self, num_sequences: int) -> list[SeenByRecurrence]:
        """What the decoder knows at the start of the S targets."""
        return [self._start.select(np.arange(num_sequences))]

    def hidden(self, tokens: PackedTokens, seen: Sequence[SeenByRecurrence]) -> np.ndarray:
        """hidden (N, H) of tokens that continue the S targets; the state after them is remembered."""
        [known] = seen
        x = self._model.embeddings(tokens.token_ids)
        hidden, known.state, _ = self._model.decoder.forward_from(known.state, x, tokens.lengths, known.sources)
        return hidden
