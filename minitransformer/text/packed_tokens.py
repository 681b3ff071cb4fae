"""A batch of sequences as rows of tokens, one sequence under the other, without padding.

    sequence 0   [CLS] i like chocolate milk [SEP]      rows 0-5    lengths[0] = 6
    sequence 1   [CLS] hello [SEP]                      rows 6-8    lengths[1] = 3

A sequence is what a model reads as one: a text or a pair of texts with its special tokens. N is the number of rows (all
tokens of the batch), S the number of sequences, T the tokens of one sequence.
Removing the padding is "unpadding" or "packing" in the literature (Krell et al. 2021, arXiv 2107.02027).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minitransformer.errors import UserError

IntArray = NDArray[np.int64]
Checked = TypeVar("Checked")


@dataclass(frozen=True, eq=False)
class PackedTokens:
    """The input of every model: what each row holds, and where each sequence ends.

    token_ids (N,)     vocabulary ids
    segment_ids (N,)   0 for the first text of a pair, 1 for the second
    position_ids (N,)  0, 1, 2, ... within each sequence
    lengths (S,)       tokens of each sequence, each at least 1; they sum to N

    Raises UserError if the shapes disagree, a sequence is empty or an id is negative.
    """

    token_ids: IntArray
    segment_ids: IntArray
    position_ids: IntArray
    lengths: IntArray

    def __post_init__(self) -> None:
        for name in ("token_ids", "segment_ids", "position_ids", "lengths"):
            object.__setattr__(self, name, as_ids(getattr(self, name), name))
        if self.lengths.size and self.lengths.min() < 1:
            empty = self.lengths.argmin()
            raise UserError(f"sequence {empty} of the batch is empty; every sequence needs at least one token")
        num_rows = int(self.lengths.sum())
        for name in ("token_ids", "segment_ids", "position_ids"):
            if (found := len(getattr(self, name))) != num_rows:
                raise UserError(f"{name} has {found} entries, but the lengths of the sequences sum to {num_rows}")

    @classmethod
    def pack(cls, token_ids: Sequence[ArrayLike], segment_ids: Sequence[ArrayLike] | None = None) -> Self:
        """Put sequences, each given by its token ids, one under the other; segments are 0 by default."""
        lengths, flat_ids = _concatenate(token_ids, "sequence {}")
        if segment_ids is None:
            return cls(flat_ids, np.zeros_like(flat_ids), span_offsets(lengths), lengths)
        found, flat_segments = _concatenate(segment_ids, "segments of sequence {}")
        if found.tolist() != lengths.tolist():
            raise UserError(f"the sequences have {lengths.tolist()} tokens, but their segment_ids {found.tolist()}")
        return cls(flat_ids, flat_segments, span_offsets(lengths), lengths)

    @classmethod
    def from_padded(
        cls, input_ids: ArrayLike, attention_mask: ArrayLike, token_type_ids: ArrayLike | None = None
    ) -> Self:
        """Read the padded arrays (S, T) that other libraries use; attention_mask is 1 on tokens, 0 on padding.

        Padding must be to the right of each sequence, since positions count from its first token.
        """
        ids = np.asarray(input_ids)
        mask = np.asarray(attention_mask)
        segments = np.zeros_like(ids) if token_type_ids is None else np.asarray(token_type_ids)
        if ids.ndim != 2:
            raise UserError(f"input_ids must have the shape (sequences, tokens), found {ids.shape}")
        for name, array in (("attention_mask", mask), ("token_type_ids", segments)):
            if array.shape != ids.shape:
                raise UserError(f"{name} has the shape {array.shape}, input_ids {ids.shape}; they must be equal")
        if not np.isin(mask, (0, 1)).all():
            raise UserError("attention_mask must hold only 1 (a token) and 0 (padding)")
        is_token = mask.astype(bool)
        lengths = is_token.sum(axis=1)
        padded_right = (is_token == (np.arange(ids.shape[1]) < lengths[:, None])).all(axis=1)
        if not padded_right.all():
            raise UserError(
                f"attention_mask of sequence {padded_right.argmin()} has a 0 before a 1: only padding on the right is "
                "accepted; pad with padding_side='right', or give the sequences to PackedTokens.pack without padding"
            )
        return cls(ids[is_token], segments[is_token], span_offsets(lengths), lengths)

    def __len__(self) -> int:
        """The number of sequences S."""
        return len(self.lengths)

    @cached_property
    def starts(self) -> IntArray:
        """(S,) the row of each sequence's first token, which is [CLS] in BERT's input."""
        return np.cumsum(self.lengths) - self.lengths

    def unpack(self, rows: NDArray) -> list[NDArray]:
        """Cut rows (N, ...), such as hidden states, into one view (T, ...) per sequence."""
        self._check_rows(rows)
        return [rows[start : start + length] for start, length in zip(self.starts, self.lengths, strict=True)]

    def to_padded(self, rows: NDArray) -> NDArray:
        """Lay rows (N, ...) out as (S, T, ...) with zeros after each sequence; T is the longest one's length."""
        self._check_rows(rows)
        longest = int(self.lengths.max(initial=0))
        padded = np.zeros((len(self), longest, *rows.shape[1:]), dtype=rows.dtype)
        padded[np.arange(longest) < self.lengths[:, None]] = rows
        return padded

    def select(self, sequences: Sequence[int] | NDArray | slice) -> Self:
        """The batch of the chosen sequences in the order given (indices, a boolean mask or a slice)."""
        chosen = np.arange(len(self))[sequences]
        rows = self.rows_of(chosen)
        lengths = self.lengths[chosen]
        return unchecked(type(self), self.token_ids[rows], self.segment_ids[rows], self.position_ids[rows], lengths)

    def after(self, seen_lengths: IntArray) -> Self:
        """The same tokens at positions behind the seen_lengths (S,) tokens that came before them."""
        position_ids = self.position_ids + np.repeat(seen_lengths, self.lengths)
        return unchecked(type(self), self.token_ids, self.segment_ids, position_ids, self.lengths)

    def rows_of(self, sequences: NDArray) -> IntArray:
        """The row numbers of the chosen sequences (indices), one sequence after the other."""
        return span_indices(self.starts[sequences], self.lengths[sequences])

    def _check_rows(self, rows: NDArray) -> None:
        if rows.ndim == 0 or len(rows) != len(self.token_ids):
            raise UserError(f"expected {len(self.token_ids)} rows, one for each token, found the shape {rows.shape}")


def unchecked(kind: type[Checked], *fields: Any) -> Checked:
    """What kind(*fields) makes, a dataclass that checks its fields, for int64 arrays made from ones checked before."""
    made = kind.__new__(kind)
    vars(made).update(zip(kind.__match_args__, fields, strict=True))  # type: ignore[attr-defined]
    return made


def _concatenate(sequences: Sequence[ArrayLike], name: str) -> tuple[IntArray, IntArray]:
    """The length of each sequence of ids, and all ids one after the other; errors call sequence i name.format(i)."""
    checked = [as_ids(ids, name.format(i)) for i, ids in enumerate(sequences)]
    lengths = np.array([len(ids) for ids in checked], dtype=np.int64)
    return lengths, np.concatenate(checked) if checked else np.zeros(0, dtype=np.int64)


def span_offsets(lengths: IntArray) -> IntArray:
    """0, 1, ..., length - 1 for each span, one span after the other: [2, 3] gives [0, 1, 0, 1, 2]."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) - np.repeat(starts, lengths)


def span_indices(starts: IntArray, lengths: IntArray) -> IntArray:
    """start, start + 1, ... for each span, one span after the other: [7, 0], [2, 3] gives [7, 8, 0, 1, 2]."""
    return np.repeat(starts, lengths) + span_offsets(lengths)


def as_ids(values: ArrayLike, name: str) -> IntArray:
    """A one-dimensional int64 array of numbers that are not negative (a negative id would index from the end)."""
    ids = np.asarray(values)
    if ids.ndim != 1:
        raise UserError(f"{name} must be one-dimensional, found the shape {ids.shape}")
    if ids.size and not (np.issubdtype(ids.dtype, np.integer) or ids.dtype == bool):
        raise UserError(f"{name} must hold whole numbers, found {ids.dtype}")
    if ids.size and ids.min() < 0:
        raise UserError(f"{name} holds {ids.min()} at entry {int(ids.argmin())}; ids are never negative")
    return ids.astype(np.int64, copy=False)
