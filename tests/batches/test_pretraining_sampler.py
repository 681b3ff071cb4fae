import numpy as np
import pytest

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.corpora.tokenized_corpus import Documents
from minitransformer.errors import UserError


def sampler_of(labelled, batch_size=16, **options):
    training, _ = labelled.corpus.split()
    return PretrainingSampler(labelled.corpus, training, labelled.tokenizer, batch_size, max_length=64, **options)


def content(batch):
    tokens = batch.tokens
    arrays = (tokens.token_ids, tokens.segment_ids, tokens.lengths, batch.masked_positions, batch.masked_ids)
    return [array.tolist() for array in (*arrays, batch.is_random_next)]


def pairs_in(batch):
    """Each pair of a batch as it was before masking."""
    ids = batch.tokens.token_ids.copy()
    ids[batch.masked_positions] = batch.masked_ids
    return [tuple(pair.tolist()) for pair in batch.tokens.unpack(ids)]


def test_the_batch_of_a_step_is_the_same_whatever_was_asked_before(varied):
    sampler = sampler_of(varied)
    steps = [0, 1, sampler.steps_per_epoch, 3 * sampler.steps_per_epoch + 2]
    in_order = [content(sampler.batch(step)) for step in steps]
    backwards = [content(sampler.batch(step)) for step in reversed(steps)]
    afresh = [content(sampler_of(varied).batch(step)) for step in steps]
    assert in_order == backwards[::-1] == afresh


def test_another_seed_gives_other_batches(varied):
    assert content(sampler_of(varied, seed=1).batch(0)) != content(sampler_of(varied, seed=2).batch(0))


def test_an_epoch_deals_out_each_pair_once_and_the_next_one_makes_others(varied):
    sampler = sampler_of(varied)
    epochs = [
        [pair for step in range(sampler.steps_per_epoch) for pair in pairs_in(sampler.batch(start + step))]
        for start in (0, sampler.steps_per_epoch)
    ]
    assert len(epochs[0]) == len(set(epochs[0])) == sampler.steps_per_epoch * 16
    assert len(sampler.pairs(0)) - 16 < len(epochs[0]) <= len(sampler.pairs(0))
    assert len(set(epochs[0]) & set(epochs[1])) < len(epochs[0]) / 2


def test_the_same_pair_is_masked_anew_in_each_step(labelled):
    corpus = labelled([[20, 20]] * 2)
    sampler = PretrainingSampler(
        corpus.corpus, Documents(np.array([0, 2]), np.array([2, 4])), corpus.tokenizer, batch_size=2
    )
    masked = {tuple(sampler.batch(step).masked_positions.tolist()) for step in range(20)}
    assert len(masked) > 10


def test_without_next_sentences_it_deals_out_stretches_of_text(varied):
    sampler = sampler_of(varied, next_sentence=False)
    batches = [sampler.batch(step) for step in range(sampler.steps_per_epoch)]
    assert {type(batch) for batch in batches} == {MaskedLMBatch}
    assert not any(batch.tokens.segment_ids.any() for batch in batches)
    texts = [pair for batch in batches for pair in pairs_in(batch)]
    assert len(texts) == len(set(texts)) == 16 * sampler.steps_per_epoch
    again = sampler_of(varied, next_sentence=False).batch(3)
    assert again.tokens.token_ids.tolist() == sampler.batch(3).tokens.token_ids.tolist()


def test_one_document_is_enough_without_next_sentences(labelled):
    assert len(sampler_of(labelled([[3] * 30]), batch_size=2, next_sentence=False).batch(0)) == 2


def test_a_corpus_with_fewer_pairs_than_a_batch_fills_it_by_repeating_them(labelled):
    corpus = labelled([[5, 5], [5, 5]])
    sampler = sampler_of(corpus, batch_size=7)
    assert sampler.steps_per_epoch == 1
    assert len(sampler.batch(3)) == 7


def test_documents_that_give_no_pairs_are_refused_at_once(labelled):
    with pytest.raises(UserError, match="one document"):
        sampler_of(labelled([[3] * 30]))
