import numpy as np
import pytest

from minitransformer.batches.next_sentence import make_pairs, pack_pairs, refuse_single_document
from minitransformer.corpora.tokenized_corpus import Documents
from minitransformer.errors import UserError


def all_documents(corpus):
    return Documents(corpus.document_starts[:-1], corpus.document_starts[1:])


def pairs_of(labelled, max_length=64, seed=0):
    rng = np.random.default_rng(seed)
    return make_pairs(labelled.corpus, all_documents(labelled.corpus), max_length, rng)


def origins(labelled, start, length):
    """The (document, sentence) of the first and the last token of a run of tokens."""
    ids = labelled.corpus.token_ids
    return labelled.origin(ids[start]), labelled.origin(ids[start + length - 1])


def test_a_true_second_text_follows_the_first_and_a_random_one_is_from_another_document(varied):
    pairs = pairs_of(varied, max_length=10_000)
    assert pairs.num_cut.max() == 0
    for i in range(len(pairs)):
        (document, _), (a_document, a_last) = origins(varied, pairs.a_start[i], pairs.a_length[i])
        (b_document, b_first), (b_last_document, _) = origins(varied, pairs.b_start[i], pairs.b_length[i])
        assert document == a_document
        assert b_document == b_last_document
        if pairs.is_random[i]:
            assert b_document != document
            assert b_first > 0
        else:
            assert (b_document, b_first) == (document, a_last + 1)


def test_each_sentence_is_used_once_in_its_place_but_for_one_left_alone_at_the_end(varied):
    pairs = pairs_of(varied, max_length=10_000)
    used = {}
    for i in range(len(pairs)):
        (document, first), (_, last) = origins(varied, pairs.a_start[i], pairs.a_length[i])
        if not pairs.is_random[i]:
            _, (_, last) = origins(varied, pairs.b_start[i], pairs.b_length[i])
        used.setdefault(document, []).extend(range(first, last + 1))
    for document, lengths in enumerate(varied.sentence_lengths):
        if len(lengths) == 1:
            assert document not in used
        else:
            n_used = len(used[document])
            assert used[document] == list(range(n_used))
            assert n_used in (len(lengths) - 1, len(lengths))


def test_chunks_have_the_target_length_and_some_documents_a_short_one(labelled):
    corpus = labelled([[4] * 500] * 40)
    pairs = pairs_of(corpus, max_length=103)
    # A chunk of 25 sentences of 4 tokens is exactly 100 tokens, so nothing is cut.
    assert pairs.num_cut.max() == 0
    documents = pairs.a_start // 2000
    longest = np.zeros(40, dtype=int)
    np.maximum.at(longest, documents, pairs.a_length + pairs.b_length)
    assert 0 < (longest < 100).sum() < 12
    assert (longest == 100).sum() > 28


def test_half_of_the_pairs_are_random_and_their_lengths_do_not_tell_which(varied):
    pairs = [pairs_of(varied, seed=seed) for seed in range(4)]
    is_random = np.concatenate([p.is_random for p in pairs])
    a, b = (np.concatenate([getattr(p, name) for p in pairs]) for name in ("a_length", "b_length"))
    assert len(is_random) > 2000
    assert abs(is_random.mean() - 0.5) < 0.04
    for length in (a, b, a + b):
        accuracies = [((length > threshold) == is_random).mean() for threshold in range(1, 62)]
        assert min(accuracies) > 0.44
        assert max(accuracies) < 0.56


def test_a_random_text_ends_where_it_comes_nearest_to_the_length_of_the_one_it_replaces(labelled):
    corpus = labelled([[5, 12], [3] + [10] * 400])
    replaced = [pairs_of(corpus, seed=seed) for seed in range(20)]
    b_lengths = {int(p.b_length[0]) for p in replaced if p.is_random[0] and p.a_start[0] == 0}
    assert b_lengths == {10}  # 2 less than 12; the next sentence's end is 8 more


def test_of_two_documents_the_random_text_is_from_the_other(labelled):
    corpus = labelled([[5] * 9, [5] * 9])
    for seed in range(10):
        pairs = pairs_of(corpus, seed=seed)
        other = (pairs.a_start < 45) != (pairs.b_start < 45)
        assert other.tolist() == pairs.is_random.astype(bool).tolist()


def test_no_pair_is_longer_than_max_length_and_each_text_keeps_a_run_of_its_tokens(varied):
    pairs = pairs_of(varied, max_length=20)
    assert (pairs.a_length + pairs.b_length).max() == 17
    assert min(pairs.a_length.min(), pairs.b_length.min()) >= 1
    assert (pairs.num_cut > 0).any()
    cut = pairs.num_cut > 0
    assert (pairs.a_length + pairs.b_length == 17)[cut].all()


def test_a_cut_takes_tokens_in_front_as_well_as_behind(labelled):
    corpus = labelled([[100, 100]] * 200)
    pairs = pairs_of(corpus, max_length=43)
    first_token = np.where(pairs.a_start % 200 < 100, pairs.a_start % 100, -1)
    assert pairs.a_length.tolist() == pairs.b_length.tolist() == [20] * 200
    assert abs(first_token.mean() - 40) < 3


def test_the_pairs_depend_on_the_generator_alone(varied):
    first, again, other = pairs_of(varied, seed=1), pairs_of(varied, seed=1), pairs_of(varied, seed=2)
    assert first.b_start.tolist() == again.b_start.tolist()
    assert first.b_start.tolist() != other.b_start.tolist()


def test_packed_pairs_are_cls_a_sep_b_sep(labelled):
    corpus = labelled([[2, 1], [1, 3]])
    pairs = pairs_of(corpus)
    tokens = pack_pairs(corpus.corpus, pairs, 2, 3)
    assert len(tokens) == len(pairs)
    rows, segments_of = tokens.unpack(tokens.token_ids), tokens.unpack(tokens.segment_ids)
    for i, (ids, segments) in enumerate(zip(rows, segments_of, strict=True)):
        a = corpus.corpus.token_ids[pairs.a_start[i] :][: pairs.a_length[i]].tolist()
        b = corpus.corpus.token_ids[pairs.b_start[i] :][: pairs.b_length[i]].tolist()
        assert ids.tolist() == [2, *a, 3, *b, 3]
        assert segments.tolist() == [0] * (len(a) + 2) + [1] * (len(b) + 1)


def test_a_single_document_is_refused_with_the_reason(labelled):
    with pytest.raises(UserError, match=r"one document, but .* random sentences from another one\. Put a blank line"):
        pairs_of(labelled([[3] * 50]))


def test_documents_of_single_sentences_are_refused(labelled):
    with pytest.raises(UserError, match="30 documents 1 can be used"):
        pairs_of(labelled([[3]] * 29 + [[3, 3]]))


def test_a_length_without_room_for_two_tokens_is_refused(labelled):
    with pytest.raises(UserError, match="needs 5 tokens"):
        pairs_of(labelled([[3, 3]] * 2), max_length=4)


def test_a_single_document_is_refused_at_its_end_and_several_pass_as_they_are():
    with pytest.raises(UserError, match="the corpus is one document"):
        list(refuse_single_document(["One.", "Two.", ""]))
    several = ["One.", "", "Two.", "Three.", ""]
    assert list(refuse_single_document(several)) == several
