"""Recurrent layers: LSTM in one direction, and in both."""

from typing import NamedTuple

import numpy as np

from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, Uniform
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.lstm import LstmCache, lstm_backward, lstm_forward


class LstmState(NamedTuple):
    """What a recurrence has made of S sequences so far."""

    h: np.ndarray  # (S, H)
    c: np.ndarray  # (S, H)


class Lstm(Module):
    """y (N, H) of packed rows x (N, in): each row knows itself and what is before it in its sequence (ops/lstm.py).

    At first every number is between -1 / sqrt(H) and 1 / sqrt(H), as in PyTorch, but the forget gate's bias, which is
    1 (Jozefowicz et al. 2015): at the start a cell keeps what it has.
    """

    def __init__(self, in_size: int, hidden_size: int) -> None:
        initialiser = Uniform(hidden_size**-0.5)
        self.weight = Parameter((in_size, 4 * hidden_size), initialiser)
        self.recurrent = Parameter((hidden_size, 4 * hidden_size), initialiser)
        self.bias = Parameter((4 * hidden_size,), _forget_nothing)
        self.hidden_size = hidden_size

    def start(self, num_sequences: int) -> LstmState:
        """The state of sequences of which nothing was seen."""
        zeros = np.zeros((num_sequences, self.hidden_size), self.dtype)
        return LstmState(zeros, zeros)

    def forward(self, x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, LstmCache]:
        """y (N, H) of x (N, in) whose sequences have `lengths` (S,), each from the start; and the cache."""
        y, _, cache = self.forward_from(self.start(len(lengths)), x, lengths)
        return y, cache

    def backward(self, dy: np.ndarray, cache: LstmCache) -> np.ndarray:
        return self.backward_to(dy, self.start(len(cache.lengths)), cache)[0]

    def forward_from(
        self, state: LstmState, x: np.ndarray, lengths: np.ndarray
    ) -> tuple[np.ndarray, LstmState, LstmCache]:
        """y (N, H) of rows that go on from a state, the state after them, and the cache."""
        (y, c), cache = lstm_forward(x, *state, self.weight.value, self.recurrent.value, self.bias.value, lengths)
        return y, LstmState(y[np.cumsum(lengths) - 1], c), cache

    def backward_to(self, dy: np.ndarray, d_state: LstmState, cache: LstmCache) -> tuple[np.ndarray, LstmState]:
        """Gradients of x (N, in) and of the state before, for those of y (N, H) and of the state after."""
        dy = dy.copy()
        dy[np.cumsum(cache.lengths) - 1] += d_state.h
        dx, dh, dc, dweight, drecurrent, dbias = lstm_backward(dy, d_state.c, cache)
        self.weight.accumulate(dweight)
        self.recurrent.accumulate(drecurrent)
        self.bias.accumulate(dbias)
        return dx, LstmState(dh, dc)


class BidirectionalLstmCache(NamedTuple):
    forwards: LstmCache
    backwards: LstmCache
    mirror: np.ndarray  # (N,)
    dropout: DropoutCache


class BidirectionalLstm(Module):
    """y (N, 2 H): a row knows what is before it in the first half of its columns, and what comes after in the second.

    That is two Lstms, of which one reads every sequence from its end (Schuster, Paliwal 1997), and dropout of what they
    say.
    """

    def __init__(self, in_size: int, hidden_size: int, dropout: float = 0.0) -> None:
        self.forwards = Lstm(in_size, hidden_size)
        self.backwards = Lstm(in_size, hidden_size)
        self.dropout = dropout

    def forward(
        self, x: np.ndarray, lengths: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, BidirectionalLstmCache]:
        """y (N, 2 H) of x (N, in) whose sequences have `lengths` (S,), and the cache; dropout only with an rng."""
        mirror = _mirror(lengths)
        first, forwards_cache = self.forwards.forward(x, lengths)
        second, backwards_cache = self.backwards.forward(x[mirror], lengths)
        y, dropout_cache = dropout_forward(np.hstack([first, second[mirror]]), self.dropout, rng)
        return y, BidirectionalLstmCache(forwards_cache, backwards_cache, mirror, dropout_cache)

    def backward(self, dy: np.ndarray, cache: BidirectionalLstmCache) -> np.ndarray:
        first, second = np.split(dropout_backward(dy, cache.dropout), 2, axis=1)
        dx = self.forwards.backward(first, cache.forwards)
        return dx + self.backwards.backward(second[cache.mirror], cache.backwards)[cache.mirror]


def _mirror(lengths: np.ndarray) -> np.ndarray:
    """For each row, the one that stands as far from the end of its sequence as this one from the start.

    >>> _mirror(np.array([3, 2]))
    array([2, 1, 0, 4, 3])
    """
    ends = np.cumsum(lengths)
    return np.repeat(ends - lengths + ends - 1, lengths) - np.arange(lengths.sum())


def _forget_nothing(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.repeat([0.0, 1.0, 0.0, 0.0], shape[0] // 4)  # i, f, g, o
