"""The first attention: a recurrent decoder that looks at its source before each step."""

import math
from typing import NamedTuple

import numpy as np

from minitransformer.nn.lstm import LstmState
from minitransformer.nn.lstm_decoder import LstmDecoder, Sources
from minitransformer.nn.parameter import Parameter, Uniform
from minitransformer.ops.additive_attention import (
    AdditiveAttentionCache,
    additive_attention_backward,
    additive_attention_forward,
)
from minitransformer.ops.lstm import LstmCellCache, in_the_batch, lstm_cell_backward, lstm_cell_forward, lstm_steps
from minitransformer.ops.sequences import rows_in_order
from minitransformer.ops.sums import column_sums


class BahdanauStep(NamedTuple):
    rows: np.ndarray  # of x, one for each of the S' sequences that still run
    source: slice  # the rows of their sources, in the order of the steps
    attention: AdditiveAttentionCache
    cell: LstmCellCache


class BahdanauDecoderCache(NamedTuple):
    x: np.ndarray  # (N, in)
    h_before: np.ndarray  # (N, H) what each row's step began with
    context: np.ndarray  # (N, H) what it saw of the source
    source: np.ndarray  # (M, H) in the order of the steps, the source of the longest target first
    source_rows: np.ndarray  # (M,) where those rows stand in the batch
    order: np.ndarray  # (S,)
    steps: list[BahdanauStep]


class BahdanauDecoder(LstmDecoder):
    """Bahdanau et al. 2015 (arXiv 1409.0473), section 3.1, with an LSTM in place of their gated recurrent unit:

        context = additive_attention(q = h W_q, k = source W_k, v = source, w)
        z = x W + context W_c + h U + b,   h' and c' as in ops/lstm.py

    The last state h asks, and what it sees goes into the cell. So the source has a say in the state itself, while
    Luong's attention adds it afterwards, and each step's attention has to wait for the step before. The rows are the
    h'; the paper's have one more layer (maxout) before the vocabulary head.
    """

    def __init__(self, in_size: int, hidden_size: int) -> None:
        super().__init__(in_size, hidden_size)
        square = hidden_size, hidden_size
        self.query = Parameter(square, Uniform(math.sqrt(3 / hidden_size)))
        self.key = Parameter(square, Uniform(math.sqrt(3 / hidden_size)))
        self.score = Parameter((hidden_size,), Uniform(hidden_size**-0.5))
        self.context = Parameter((hidden_size, 4 * hidden_size), Uniform(hidden_size**-0.5))

    def sources(self, source: np.ndarray, lengths: np.ndarray) -> Sources:
        return Sources(source, source @ self.key.value, lengths)

    def forward_from(
        self, state: LstmState, x: np.ndarray, lengths: np.ndarray, sources: Sources
    ) -> tuple[np.ndarray, LstmState, BahdanauDecoderCache]:
        order, steps = lstm_steps(lengths)
        source, k, source_lengths = sources.select(order)
        source_rows = rows_in_order(sources.lengths, order)
        ends, z = np.cumsum(source_lengths), x @ self.lstm.weight.value + self.lstm.bias.value
        y, h_before, context = (np.empty((len(x), self.lstm.hidden_size), x.dtype) for _ in range(3))
        h, c, done = state.h[order], state.c[order], []
        for rows in steps:
            active, seen = slice(len(rows)), slice(ends[len(rows) - 1])
            h_before[rows] = h[active]
            asked = h[active] @ self.query.value, k[seen], source[seen], self.score.value, source_lengths[active]
            context[rows], attention_cache = additive_attention_forward(*asked)
            z[rows] += context[rows] @ self.context.value + h[active] @ self.lstm.recurrent.value
            (h[active], c_after), cell_cache = lstm_cell_forward(z[rows], c[active].copy())
            c[active] = c_after
            y[rows] = h[active]
            done.append(BahdanauStep(rows, seen, attention_cache, cell_cache))
        state = LstmState(in_the_batch(h, order), in_the_batch(c, order))
        return y, state, BahdanauDecoderCache(x, h_before, context, source, source_rows, order, done)

    def backward_to(
        self, d_hidden: np.ndarray, cache: BahdanauDecoderCache
    ) -> tuple[np.ndarray, LstmState, np.ndarray]:
        x, h_before, context, source, source_rows, order, steps = cache
        lstm, size = self.lstm, self.lstm.hidden_size
        dz, dq = np.empty((len(x), 4 * size), x.dtype), np.empty((len(x), size), x.dtype)
        dh, dc = np.zeros((2, len(order), size), x.dtype)
        dk, dv, d_score = np.zeros_like(source), np.zeros_like(source), np.zeros_like(self.score.value)
        for rows, seen, attention_cache, cell_cache in reversed(steps):
            active = slice(len(rows))
            dz[rows], dc[active] = lstm_cell_backward(d_hidden[rows] + dh[active], dc[active], cell_cache)
            d_context = dz[rows] @ self.context.value.T
            dq[rows], dk_step, dv_step, d_score_step = additive_attention_backward(d_context, attention_cache)
            dk[seen] += dk_step
            dv[seen] += dv_step
            d_score += d_score_step
            dh[active] = dz[rows] @ lstm.recurrent.value.T + dq[rows] @ self.query.value.T
        lstm.weight.accumulate(x.T @ dz)
        lstm.recurrent.accumulate(h_before.T @ dz)
        lstm.bias.accumulate(column_sums(dz))
        self.context.accumulate(context.T @ dz)
        self.query.accumulate(h_before.T @ dq)
        self.key.accumulate(source.T @ dk)
        self.score.accumulate(d_score)
        d_source = in_the_batch(dv + dk @ self.key.value.T, source_rows)
        d_state = LstmState(in_the_batch(dh, order), in_the_batch(dc, order))
        return dz @ lstm.weight.value.T, d_state, d_source

    def source_weights(self, state: LstmState, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        _, _, cache = self.forward_from(state, x, np.array([len(x)]), self.sources(source, np.array([len(source)])))
        return np.hstack([step.attention.weights for step in cache.steps]).T
