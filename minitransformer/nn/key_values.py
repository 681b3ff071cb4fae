"""What a decoder has seen: the keys and values of one attention layer, to which each step adds its own.

Generating goes token by token. Causal rows never see what comes later, so the keys and values of what was seen stay as
they are: a step projects the new rows alone, and its queries ask all rows so far. n tokens then cost n steps of one row
each, instead of sequences of 1, 2, ..., n rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from minitransformer.ops.attention import attention_forward


class KeyValues:
    """The keys and values of S sequences, of which sequence s has the first lengths[s] rows of keys[s] and values[s].

    keys, values (S, room, H) have room for more rows than there are, and twice as much whenever it runs out: a step
    doesn't copy the past.
    """

    def __init__(self, num_sequences: int, hidden_size: int, dtype: np.dtype) -> None:
        self.lengths = np.zeros(num_sequences, np.int64)
        self.keys = np.empty((num_sequences, 0, hidden_size), dtype)
        self.values = np.empty((num_sequences, 0, hidden_size), dtype)

    def append(self, keys: np.ndarray, values: np.ndarray, new_lengths: np.ndarray) -> None:
        """Add packed rows (N, H), of which sequence s gets new_lengths[s]."""
        self._make_room(int((self.lengths + new_lengths).max(initial=0)))
        start = 0
        for s, (seen, new) in enumerate(zip(self.lengths, new_lengths, strict=True)):
            self.keys[s, seen : seen + new] = keys[start : start + new]
            self.values[s, seen : seen + new] = values[start : start + new]
            start += new
        self.lengths = self.lengths + new_lengths

    def select(self, sequences: np.ndarray) -> KeyValues:
        """Copies of these sequences in this order: for beams that branch, and to drop what is finished."""
        chosen = KeyValues(0, self.keys.shape[2], self.keys.dtype)
        chosen.lengths, chosen.keys, chosen.values = (
            array[sequences] for array in (self.lengths, self.keys, self.values)
        )
        return chosen

    def attend(self, q: np.ndarray, lengths: np.ndarray, num_heads: int, causal: bool) -> np.ndarray:
        """y (N, H) of queries q (N, H), `lengths` (S,) of them for each sequence: ops/attention.py, head by head.

        Causal queries are those of the last rows that the sequence has.
        """
        y = np.empty_like(q)
        for sequences, rows, num_keys in self._stacks(lengths):
            q_stack, k_stack, v_stack = (
                array.reshape(sequences.stop - sequences.start, -1, num_heads, q.shape[1] // num_heads).swapaxes(1, 2)
                for array in (q[rows], self.keys[sequences, :num_keys], self.values[sequences, :num_keys])
            )
            attended, _ = attention_forward(q_stack, k_stack, v_stack, causal=causal)
            y[rows] = attended.swapaxes(1, 2).reshape(-1, q.shape[1])
        return y

    def _stacks(self, lengths: np.ndarray) -> Iterator[tuple[slice, slice, int]]:
        """Neighbouring sequences with equally many queries and keys: their numbers, their rows of q, and the keys."""
        sequence = row = 0
        for (num_queries, num_keys), group in groupby(zip(lengths.tolist(), self.lengths.tolist(), strict=True)):
            count = len(list(group))
            if num_queries:
                yield slice(sequence, sequence + count), slice(row, row + count * num_queries), num_keys
            sequence, row = sequence + count, row + count * num_queries

    def _make_room(self, num_rows: int) -> None:
        num_sequences, room, hidden_size = self.keys.shape
        if num_rows > room:
            grown = np.empty((2, num_sequences, max(num_rows, 2 * room), hidden_size), self.keys.dtype)
            grown[:, :, :room] = self.keys, self.values
            self.keys, self.values = grown
