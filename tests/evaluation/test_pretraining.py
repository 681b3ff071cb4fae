import numpy as np
import pytest

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.evaluation.pretraining import evaluate_pretraining, pretraining_baselines, token_counts
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import pretraining_batch, pretraining_model


def batch_of(masked_ids, is_random_next):
    tokens = PackedTokens.pack([[1] * len(masked_ids)] + [[1]] * (len(is_random_next) - 1))
    return PretrainingBatch(tokens, np.arange(len(masked_ids)), masked_ids, is_random_next)


def test_scores_over_several_batches_equal_those_of_one_batch_with_all():
    """The batches have different numbers of masked tokens, so that a mean of the batches' means would differ."""
    model = pretraining_model()
    whole = pretraining_batch(model.config, lengths=(4, 7, 6, 2, 3))
    parts = [whole.select([0, 1, 2]), whole.select([3, 4])]
    assert evaluate_pretraining(model, parts) == pytest.approx(model.forward(whole)[0])


def test_baselines_by_hand():
    """Training text: token 0 four times, 1 twice, 2 twice, 3 never. Held out: tokens 0, 1, 1, 3."""
    batches = [batch_of([0, 1], [1, 0]), batch_of([1, 3], [1])]
    baselines = pretraining_baselines(np.array([4, 2, 2, 0]), batches)
    assert baselines.uniform == pytest.approx(np.log(4))
    assert baselines.unigram_entropy == pytest.approx(0.5 * np.log(2) + 2 * 0.25 * np.log(4))
    smoothed = np.array([5, 3, 3, 1]) / 12
    assert baselines.unigram_cross_entropy == pytest.approx(-np.log(smoothed[[0, 1, 1, 3]]).mean())
    assert baselines.commonest_token == 1 / 4
    assert baselines.even_chance == pytest.approx(np.log(2))
    assert baselines.larger_class == pytest.approx(2 / 3)


def test_tokens_are_counted_in_the_given_documents_without_unk_which_is_never_masked(tmp_path):
    """Were it counted, the commonest token of a text in another alphabet would be one that is never the answer."""
    tokenizer = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])
    corpus = TokenizedCorpus.build(["a b ж ж ж", "b", "", "a a a", "", "b", ""], tokenizer, tmp_path / "corpus")
    documents = Documents(corpus.document_starts[[0, 2]], corpus.document_starts[[1, 3]])
    assert token_counts(corpus, documents, tokenizer).tolist() == [0, 0, 0, 0, 0, 1, 3]


def test_a_model_that_guesses_by_frequency_gets_the_unigram_cross_entropy():
    """All its parameters are 0 but the output bias, which holds the logarithms of the frequencies."""
    model = pretraining_model()
    batch = pretraining_batch(model.config)
    counts = np.random.default_rng(0).integers(0, 9, model.config.vocab_size)
    model.storage.values[...] = 0
    model.mlm_head.decoder.bias.value[...] = np.log(counts + 1)
    baselines = pretraining_baselines(counts, [batch])
    scores = evaluate_pretraining(model, [batch])
    assert scores.mlm == pytest.approx(baselines.unigram_cross_entropy)
    assert scores.mlm_accuracy == pytest.approx(baselines.commonest_token)
    assert scores.nsp == pytest.approx(baselines.even_chance)
