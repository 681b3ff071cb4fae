import numpy as np

from minitransformer.batches.next_sentence import SentencePairs
from minitransformer.batches.pair_audit import audit_pairs
from minitransformer.corpora.tokenized_corpus import Documents


def test_the_audit_counts_what_is_there(labelled):
    corpus = labelled([[2, 3, 1], [4, 2]])  # tokens 0-1, 2-4, 5 and 6-9, 10-11
    documents = Documents(np.array([0, 3]), np.array([3, 5]))
    pairs = SentencePairs(
        a_start=np.array([0, 6]),
        a_length=np.array([2, 2]),
        b_start=np.array([2, 5]),
        b_length=np.array([3, 1]),
        is_random=np.array([0, 1]),
        num_cut=np.array([0, 2]),
    )
    audit = audit_pairs(pairs, corpus.corpus, documents, corpus.tokenizer)
    assert audit.num_pairs == 2
    assert audit.random_share == 0.5
    assert audit.cut_share == 0.5
    assert audit.mean_length == (8 + 6) / 2
    assert audit.mean_random_length == 6
    assert audit.left_out_share == 1 - 7 / 12  # the random text isn't counted
    assert audit.unknown_share == 0
    assert audit.histogram == [(6, 6, 1), (7, 7, 0), (8, 8, 1)]
    assert audit.examples == [
        "  next: [CLS] d0s0 d0s0 [SEP] d0s1 d0s1 d0s1 [SEP]",
        "  random: [CLS] d1s0 d1s0 [SEP] d0s2 [SEP]",
    ]


def test_the_printed_page_shows_shares_histogram_and_examples(varied):
    training, _ = varied.corpus.split()
    from minitransformer.batches.next_sentence import make_pairs

    pairs = make_pairs(varied.corpus, training, 64, np.random.default_rng(0))
    page = str(audit_pairs(pairs, varied.corpus, training, varied.tokenizer))
    assert f"{len(pairs):,} pairs in an epoch, " in page
    assert "% random" in page
    assert "  random: [CLS] d" in page or "  next: [CLS] d" in page
    assert page.count("#####") >= 1
