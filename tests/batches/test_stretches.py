import numpy as np
import pytest

from minitransformer.batches.stretches import make_stretches, pack_stretches
from minitransformer.corpora.tokenized_corpus import Documents
from minitransformer.errors import UserError
from tests.batches.test_next_sentence import all_documents


def stretches_of(labelled, max_length=20, seed=0):
    return make_stretches(labelled.corpus, all_documents(labelled.corpus), max_length, np.random.default_rng(seed))


def test_every_token_of_the_documents_is_in_one_stretch_in_their_order(varied):
    stretches = stretches_of(varied)
    tokens = [
        i for start, length in zip(stretches.start, stretches.length, strict=True) for i in range(start, start + length)
    ]
    assert tokens == list(range(varied.corpus.num_tokens))
    assert 1 <= stretches.length.min() <= stretches.length.max() <= 18


def test_a_stretch_is_of_one_document(varied):
    stretches, ids = stretches_of(varied), varied.corpus.token_ids
    for start, length in zip(stretches.start, stretches.length, strict=True):
        assert varied.origin(ids[start])[0] == varied.origin(ids[start + length - 1])[0]


def test_it_takes_as_many_sentences_as_fit_and_cuts_one_that_never_would(labelled):
    """Sentences of 4, 4, 4 and 25 tokens in stretches of 10: the first stretch of a document is of a random length."""
    one = labelled([[4, 4, 4, 25]])
    for seed in range(20):
        ends = np.cumsum(stretches_of(one, max_length=12, seed=seed).length).tolist()
        assert ends[-4:] == [12, 22, 32, 37]
        assert all(end in range(1, 12) for end in ends[:-4])


def test_each_epoch_cuts_at_other_places(varied):
    assert stretches_of(varied, seed=1).length.tolist() != stretches_of(varied, seed=2).length.tolist()


def test_a_stretch_is_a_row_of_tokens_between_the_special_ones(varied):
    stretches = stretches_of(varied).select(np.array([3, 0]))
    tokens = pack_stretches(varied.corpus, stretches, 101, 102)
    for row, start, length in zip(tokens.unpack(tokens.token_ids), stretches.start, stretches.length, strict=True):
        assert row.tolist() == [101, *varied.corpus.token_ids[start : start + length].tolist(), 102]
    assert not tokens.segment_ids.any()
    assert tokens.position_ids.tolist() == [i for length in tokens.lengths for i in range(length)]


def test_no_text_and_no_room_for_it_are_refused(varied):
    nothing = Documents(np.array([], int), np.array([], int))
    with pytest.raises(UserError, match="there is no document to take text from"):
        make_stretches(varied.corpus, nothing, 20, np.random.default_rng(0))
    with pytest.raises(UserError, match="max_length is 2, but a text needs 3 tokens or more"):
        stretches_of(varied, max_length=2)
