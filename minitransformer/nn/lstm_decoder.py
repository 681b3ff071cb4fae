"""Recurrent decoders with one face: an LSTM that writes, alone, or with Luong's attention over its source."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.lstm import Lstm, LstmState
from minitransformer.nn.luong_attention import LuongAttention, LuongAttentionCache
from minitransformer.nn.module import Module
from minitransformer.ops.lstm import LstmCache
from minitransformer.ops.sequences import rows_in_order


class Sources(NamedTuple):
    """S sources as a decoder looks at them, whatever the number of its steps."""

    rows: np.ndarray  # (M, H)
    keys: np.ndarray  # (M, H) what is compared with a query; the rows themselves, if the decoder has no others
    lengths: np.ndarray  # (S,)

    def select(self, sequences: np.ndarray) -> "Sources":
        chosen = rows_in_order(self.lengths, sequences)
        rows = self.rows[chosen]
        keys = rows if self.keys is self.rows else self.keys[chosen]
        return Sources(rows, keys, self.lengths[sequences])


class LstmDecoderCache(NamedTuple):
    lstm: LstmCache
    source: np.ndarray  # (M, H)


class LuongDecoderCache(NamedTuple):
    lstm: LstmCache
    attention: LuongAttentionCache


class LstmDecoder(Module):
    """hidden (N, H) of targets x (N, in), from a state that a source has left: all that it knows of that source."""

    def __init__(self, in_size: int, hidden_size: int) -> None:
        self.lstm = Lstm(in_size, hidden_size)

    def sources(self, source: np.ndarray, lengths: np.ndarray) -> Sources:
        """The sources whose rows (M, H) `lengths` (S,) cut into sequences."""
        return Sources(source, source, lengths)

    def forward_from(
        self, state: LstmState, x: np.ndarray, lengths: np.ndarray, sources: Sources
    ) -> tuple[np.ndarray, LstmState, Any]:
        """hidden (N, H), the state after it, and the cache.

        lengths (S,) cut x (N, in) into sequences, each of which has a state (S, H) and a source.
        """
        hidden, state, cache = self.lstm.forward_from(state, x, lengths)
        return hidden, state, LstmDecoderCache(cache, sources.rows)

    def backward_to(self, d_hidden: np.ndarray, cache: Any) -> tuple[np.ndarray, LstmState, np.ndarray]:
        """Gradients of x (N, in), of the state before, and of the sources' rows; no loss asks for the state after."""
        return *self._lstm_backward(d_hidden, cache.lstm), np.zeros_like(cache.source)

    def source_weights(self, state: LstmState, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        """(T, M): how each row of x divides its attention among the source's, for one sequence of each."""
        raise NotImplementedError

    def _lstm_backward(self, d_hidden: np.ndarray, cache: LstmCache) -> tuple[np.ndarray, LstmState]:
        return self.lstm.backward_to(d_hidden, self.lstm.start(len(cache.lengths)), cache)


class LuongDecoder(LstmDecoder):
    """As LstmDecoder, whose rows then look at the source (nn/luong_attention.py)."""

    def __init__(self, in_size: int, hidden_size: int) -> None:
        super().__init__(in_size, hidden_size)
        self.attention = LuongAttention(hidden_size)

    def forward_from(
        self, state: LstmState, x: np.ndarray, lengths: np.ndarray, sources: Sources
    ) -> tuple[np.ndarray, LstmState, LuongDecoderCache]:
        hidden, state, lstm_cache = self.lstm.forward_from(state, x, lengths)
        hidden, attention_cache = self.attention.forward(hidden, lengths, sources.rows, sources.lengths)
        return hidden, state, LuongDecoderCache(lstm_cache, attention_cache)

    def backward_to(self, d_hidden: np.ndarray, cache: LuongDecoderCache) -> tuple[np.ndarray, LstmState, np.ndarray]:
        d_hidden, d_source = self.attention.backward(d_hidden, cache.attention)
        return *self._lstm_backward(d_hidden, cache.lstm), d_source

    def source_weights(self, state: LstmState, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        hidden, _, _ = self.lstm.forward_from(state, x, np.array([len(x)]))
        return self.attention.weights(hidden, source)
