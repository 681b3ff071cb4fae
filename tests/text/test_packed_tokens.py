import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.text import packed_tokens
from minitransformer.text.packed_tokens import PackedTokens, span_indices

sequences = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=7), max_size=6)


@given(sequences)
def test_unpacking_gives_back_what_was_packed(token_ids):
    tokens = PackedTokens.pack(token_ids)
    assert [ids.tolist() for ids in tokens.unpack(tokens.token_ids)] == token_ids
    assert len(tokens) == len(token_ids)
    assert [ids.tolist() for ids in tokens.unpack(tokens.position_ids)] == [list(range(len(ids))) for ids in token_ids]


@given(sequences.filter(bool))
def test_padding_and_reading_the_padded_arrays_gives_the_same_batch(token_ids):
    tokens = PackedTokens.pack(token_ids, [[i % 2] * len(ids) for i, ids in enumerate(token_ids)])
    mask = tokens.to_padded(np.ones_like(tokens.token_ids))
    again = PackedTokens.from_padded(tokens.to_padded(tokens.token_ids), mask, tokens.to_padded(tokens.segment_ids))
    for name in ("token_ids", "segment_ids", "position_ids", "lengths"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tokens, name))


@given(sequences, st.data())
def test_selecting_sequences_equals_packing_the_selected_sequences(token_ids, data):
    chosen = data.draw(st.lists(st.integers(0, max(len(token_ids) - 1, 0)), max_size=8 if token_ids else 0))
    selected = PackedTokens.pack(token_ids).select(chosen)
    expected = PackedTokens.pack([token_ids[i] for i in chosen])
    for name in ("token_ids", "segment_ids", "position_ids", "lengths", "starts"):
        np.testing.assert_array_equal(getattr(selected, name), getattr(expected, name))


def test_starts_are_the_rows_of_the_first_tokens():
    tokens = PackedTokens.pack([[101, 7, 102], [101, 102], [101, 8, 9, 102]])
    assert tokens.starts.tolist() == [0, 3, 5]
    assert tokens.token_ids[tokens.starts].tolist() == [101, 101, 101]


def test_to_padded_keeps_further_axes_and_the_dtype():
    tokens = PackedTokens.pack([[1, 2], [3]])
    hidden = np.arange(6, dtype=np.float32).reshape(3, 2)
    padded = tokens.to_padded(hidden)
    assert padded.dtype == np.float32
    assert padded.tolist() == [[[0, 1], [2, 3]], [[4, 5], [0, 0]]]


def test_span_indices_puts_one_span_after_the_other():
    assert span_indices(np.array([7, 0]), np.array([2, 3])).tolist() == [7, 8, 0, 1, 2]


def test_arguments_are_not_changed():
    ids = np.array([3, 4, 5], dtype=np.int32)
    PackedTokens.pack([ids]).token_ids[:] = 0
    assert ids.tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PackedTokens.pack([[1], []]), "sequence 1 of the batch is empty"),
        (lambda: PackedTokens.pack([[1, -100]]), "-100 at entry 1"),
        (lambda: PackedTokens.pack([[1.5]]), "whole numbers"),
        (lambda: PackedTokens.pack([[[1]]]), "one-dimensional"),
        (lambda: PackedTokens.pack([[1, 2]], [[0]]), r"\[2\] tokens, but their segment_ids \[1\]"),
        (lambda: PackedTokens([1, 2], [0, 0], [0, 1], [3]), "token_ids has 2 entries, but .* sum to 3"),
        (lambda: PackedTokens.from_padded([[0, 1]], [[0, 1]]), "only padding on the right"),
        (lambda: PackedTokens.from_padded([[1, 2, 3]], [[1, 0, 1]]), "only padding on the right"),
        (lambda: PackedTokens.from_padded([[1, 2]], [[0, -10000]]), "only 1 .* and 0"),
        (lambda: PackedTokens.from_padded([[1, 2]], [[0, 0]]), "sequence 0 of the batch is empty"),
        (lambda: PackedTokens.from_padded([1, 2], [1, 1]), r"\(sequences, tokens\)"),
        (lambda: PackedTokens.from_padded([[1, 2]], [[1]]), r"attention_mask has the shape \(1, 1\)"),
        (lambda: PackedTokens.pack([[1, 2]]).unpack(np.zeros(3)), "expected 2 rows"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_in_words(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_ids_are_checked_where_they_come_in_and_not_again_when_sequences_are_selected(monkeypatch):
    tokens = PackedTokens.pack([[1, 2], [3]])

    def refuse(*arguments):
        raise AssertionError("checked again")

    monkeypatch.setattr(packed_tokens, "as_ids", refuse)
    assert tokens.select([1]).token_ids.tolist() == [3]
    with pytest.raises(AssertionError, match="checked again"):
        PackedTokens.pack([[1, 2]])
