import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches import many_texts
from minitransformer.batches.many_texts import batches_by_length, chunks, in_batches
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens


def packed(lengths):
    """Sequences of these lengths; the tokens of sequence i are all i."""
    return PackedTokens.pack([np.full(length, i) for i, length in enumerate(lengths)])


@given(st.lists(st.integers(2, 3000)))
def test_every_sequence_is_in_one_batch_longest_first_and_no_batch_is_too_full(lengths):
    batches = batches_by_length(lengths)
    numbers = [i for batch in batches for i in batch]
    assert sorted(numbers) == list(range(len(lengths)))
    assert [lengths[i] for i in numbers] == sorted(lengths, reverse=True)
    for batch in batches:
        assert len(batch) == 1 or sum(lengths[i] for i in batch) <= many_texts.TOKENS_PER_BATCH


@given(st.lists(st.integers(1, 700), max_size=20))
def test_every_batch_comes_with_the_rows_computed_of_it(lengths):
    found = list(in_batches(packed(lengths), lambda tokens: tokens.token_ids[tokens.starts]))
    assert [sequences for sequences, _ in found] == batches_by_length(lengths)
    assert all(rows.tolist() == sequences for sequences, rows in found)


def test_an_error_in_a_batch_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(many_texts, "TOKENS_PER_BATCH", 3)

    def fail(tokens):
        raise UserError("token id 99 is outside the vocabulary")

    with pytest.raises(UserError, match="token id 99"):
        list(in_batches(packed([2, 3, 3]), fail))


def test_chunks_follow_each_other_and_none_is_too_long(monkeypatch):
    monkeypatch.setattr(many_texts, "TEXTS_PER_CHUNK", 3)
    monkeypatch.setattr(many_texts, "CHARACTERS_PER_CHUNK", 10)
    texts = ["a", "b", "c", "d", "a long text", "e", "f" * 9, "g", "h"]
    assert list(chunks(iter(texts))) == [["a", "b", "c"], ["d", "a long text"], ["e", "f" * 9], ["g", "h"]]
    assert list(chunks([])) == []


def test_a_text_is_refused_by_its_number_in_the_stream(monkeypatch):
    monkeypatch.setattr(many_texts, "TEXTS_PER_CHUNK", 2)
    stream = chunks(["a", "b", "c", None])
    assert next(stream) == ["a", "b"]
    with pytest.raises(UserError, match=r"texts\[3\] must be a text, found None"):
        next(stream)
