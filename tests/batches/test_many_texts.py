import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.batches import many_texts
from minitransformer.batches.many_texts import Truncation, batches_by_length, embed_stream, in_batches
from minitransformer.errors import UserError


def tokenize(texts):
    return [[2, *range(10, 10 + len(text)), 3] for text in texts]


def embed(token_ids):
    """A row that says which text it is of: its number of tokens, and their sum."""
    return np.array([[len(ids), sum(ids)] for ids in token_ids], np.float32)


def embedded(texts, limit=100, mode="silent"):
    return np.concatenate(list(embed_stream(texts, tokenize, embed, Truncation(limit, mode), False)))


@given(st.lists(st.integers(2, 3000)))
def test_every_text_is_in_one_batch_longest_first_and_no_batch_is_too_full(lengths):
    batches = batches_by_length(lengths)
    numbers = [i for batch in batches for i in batch]
    assert sorted(numbers) == list(range(len(lengths)))
    assert [lengths[i] for i in numbers] == sorted(lengths, reverse=True)
    for batch in batches:
        assert len(batch) == 1 or sum(lengths[i] for i in batch) <= many_texts.TOKENS_PER_BATCH


@given(st.lists(st.integers(2, 700)))
def test_every_batch_comes_with_the_rows_computed_of_it(lengths):
    found = list(in_batches(lengths, lambda batch: np.array([lengths[i] for i in batch])))
    assert [batch for batch, _ in found] == batches_by_length(lengths)
    assert all(rows.tolist() == [lengths[i] for i in batch] for batch, rows in found)


@pytest.mark.parametrize("block", [1, 7, 8192])
@pytest.mark.parametrize("tokens", [3, 50, 2048])
def test_rows_come_in_the_order_of_the_texts_whatever_the_blocks_and_batches(monkeypatch, block, tokens):
    monkeypatch.setattr(many_texts, "TEXTS_PER_BLOCK", block)
    monkeypatch.setattr(many_texts, "TOKENS_PER_BATCH", tokens)
    texts = ["x" * length for length in np.random.default_rng(0).integers(0, 40, 60)]
    np.testing.assert_array_equal(embedded(texts), embed(tokenize(texts)))


def test_each_different_text_of_a_block_is_embedded_once():
    seen = []

    def counting_embed(token_ids):
        seen.extend(token_ids)
        return embed(token_ids)

    [rows] = embed_stream(["a", "bb", "a", "a", "bb"], tokenize, counting_embed, Truncation(9, "silent"), False)
    np.testing.assert_array_equal(rows, embed(tokenize(["a", "bb", "a", "a", "bb"])))
    assert len(seen) == 2


def test_a_stream_is_read_block_by_block(monkeypatch):
    monkeypatch.setattr(many_texts, "TEXTS_PER_BLOCK", 3)
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield "x" * (read % 5)

    blocks = embed_stream(endless(), tokenize, embed, Truncation(9, "silent"), False)
    assert [len(next(blocks)), len(next(blocks))] == [3, 3]
    assert read == 6


def test_an_error_in_a_worker_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(many_texts, "TOKENS_PER_BATCH", 3)

    def failing(token_ids):
        raise UserError("token id 99 is outside the vocabulary")

    with pytest.raises(UserError, match="token id 99"):
        list(embed_stream(["a", "bb", "ccc"], tokenize, failing, Truncation(9, "silent"), False))


def test_a_text_is_cut_at_the_limit_and_keeps_its_sep():
    assert Truncation(4, "silent").cut("text", [2, 7, 8, 9, 10, 3]) == [2, 7, 8, 3]
    assert Truncation(4, "silent").cut("text", [2, 7, 8, 3]) == [2, 7, 8, 3]


def test_what_was_cut_is_counted_and_said_once():
    with pytest.warns(UserWarning, match="cut off") as warnings:
        embedded(["a", "x" * 10, "x" * 10, "y" * 7], limit=6, mode="warn")
    [message] = [str(warning.message) for warning in warnings]
    assert message == "2 of 3 texts are longer than the model's 6 tokens: 9 of 24 tokens were cut off"


def test_cutting_can_be_an_error_or_silent(recwarn):
    with pytest.raises(UserError, match=r"a text has 12 tokens, but the model takes 6: 'xxxxxxxxxx'"):
        embedded(["a", "x" * 10], limit=6, mode="error")
    embedded(["a", "x" * 10], limit=6, mode="silent")
    assert not recwarn.list
    with pytest.raises(UserError, match="truncation must be one of warn, error, silent; found 'no'"):
        Truncation(6, "no")
