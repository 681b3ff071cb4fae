import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches import many_texts
from minitransformer.batches.many_texts import chunks, in_batches
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens


def packed(lengths):
    """Sequences of these lengths; the tokens of sequence i are all i."""
    return PackedTokens.pack([np.full(length, i) for i, length in enumerate(lengths)])


@given(st.lists(st.integers(1, 700), max_size=20))
def test_every_sequence_is_in_one_batch_that_comes_with_the_rows_computed_of_it(lengths):
    found = list(in_batches(packed(lengths), lambda tokens: tokens.token_ids[tokens.starts]))
    assert sorted(i for sequences, _ in found for i in sequences) == list(range(len(lengths)))
    assert all(rows.tolist() == sequences.tolist() for sequences, rows in found)


@pytest.mark.parametrize(("cores", "num_batches"), [(1, 1), (2, 2), (9, 6)])
def test_each_core_gets_a_batch_if_there_is_enough_for_it_and_the_longest_sequences_come_first(
    monkeypatch, cores, num_batches
):
    monkeypatch.setattr(many_texts, "available_cores", lambda: cores)
    lengths = [10, 90, 30, 60, 80, 40, 50, 70]  # 430 tokens
    batches = [sequences for sequences, _ in in_batches(packed(lengths), lambda tokens: tokens.lengths)]
    assert len(batches) == num_batches
    shortest_and_longest = [(min(chosen), max(chosen)) for chosen in ([lengths[i] for i in batch] for batch in batches)]
    assert shortest_and_longest == sorted(shortest_and_longest, reverse=True)


def test_a_large_chunk_is_cut_into_batches_that_stay_small():
    tokens = packed([20, 30] * 200)
    sizes = [rows.item() for _, rows in in_batches(tokens, lambda batch: batch.lengths.sum(keepdims=True))]
    assert sum(sizes) == 10_000
    assert max(sizes) < 1.5 * many_texts.TOKENS_PER_BATCH


def test_an_error_in_a_batch_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(many_texts, "TOKENS_PER_CORE", 3)

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
