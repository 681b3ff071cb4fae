import errno
import json
from functools import partial

import numpy as np
import pytest

from minitransformer.corpora import tokenized_corpus
from minitransformer.corpora.tokenized_corpus import MAX_SENTENCE_TOKENS, TokenizedCorpus, prepare_corpus
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENIZER = BertTokenizer.from_vocabulary([*SPECIAL, "a", "b", "##b", "[", "]", "mask"])
CORPUS = ["a b.", "a", "", "", "\u200b", "", "abb", "b [MASK]", ""]


def documents(corpus):
    return [
        [
            TOKENIZER.convert_ids_to_tokens(corpus.token_ids[corpus.sentence_starts[s] : corpus.sentence_starts[s + 1]])
            for s in range(first, end)
        ]
        for first, end in zip(corpus.document_starts[:-1], corpus.document_starts[1:], strict=True)
    ]


def test_documents_and_sentences_come_back_as_they_were(tmp_path):
    built = TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "corpus")
    expected = [[["a", "b", "[UNK]"], ["a"]], [["a", "##b", "##b"], ["b", "[", "mask", "]"]]]
    assert documents(built) == documents(TokenizedCorpus.open(tmp_path / "corpus")) == expected
    assert (built.num_tokens, built.num_sentences, built.num_documents) == (11, 4, 2)


def test_documents_do_not_depend_on_how_many_sentences_are_tokenised_at_once(tmp_path, monkeypatch):
    whole = TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "whole")
    monkeypatch.setattr(tokenized_corpus, "SENTENCES_AT_ONCE", 1)
    assert TokenizedCorpus.build(iter(CORPUS), TOKENIZER, tmp_path / "single").fingerprint == whole.fingerprint


def test_the_fingerprint_tells_sentences_and_documents_apart(tmp_path):
    corpora = [["a a", "a", ""], ["a", "a a", ""], ["a a", "", "a", ""], ["b a", "a", ""]]
    fingerprints = {TokenizedCorpus.build(c, TOKENIZER, tmp_path / "corpus").fingerprint for c in corpora}
    assert len(fingerprints) == len(corpora)


def test_a_long_sentence_is_stored_in_even_parts_and_nothing_of_it_is_lost(tmp_path):
    corpus = TokenizedCorpus.build(["a " * (2 * MAX_SENTENCE_TOKENS + 1), ""], TOKENIZER, tmp_path / "corpus")
    lengths = np.diff(corpus.sentence_starts)
    assert lengths.sum() == 2 * MAX_SENTENCE_TOKENS + 1
    assert len(lengths) == 3
    assert lengths.max() - lengths.min() <= 1


def test_a_vocabulary_beyond_16_bits_is_stored_in_32(tmp_path):
    tokenizer = BertTokenizer.from_vocabulary([*SPECIAL, *(f"w{i}" for i in range(2**16))])
    corpus = TokenizedCorpus.build(["w65535 w0", ""], tokenizer, tmp_path / "corpus")
    assert corpus.token_ids.tolist() == [2**16 + 4, 5]


def test_a_tokens_number_is_not_held_in_memory(tmp_path):
    assert isinstance(TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "corpus").token_ids, np.memmap)


def test_building_again_replaces_the_old_corpus_but_nothing_else(tmp_path):
    TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "corpus")
    assert TokenizedCorpus.build(["b", ""], TOKENIZER, tmp_path / "corpus").num_tokens == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="mine exists and is no tokenised corpus"):
        TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_build_that_fails_leaves_the_old_corpus_and_no_rest(tmp_path, monkeypatch):
    old = TokenizedCorpus.build(CORPUS, TOKENIZER, tmp_path / "corpus").fingerprint

    def full_disk():
        yield "a"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match="can't be written: No space left on device"):
        TokenizedCorpus.build(full_disk(), TOKENIZER, tmp_path / "corpus")
    assert TokenizedCorpus.open(tmp_path / "corpus").fingerprint == old
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_corpus_without_text_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no text"):
        TokenizedCorpus.build(["", "\u200b"], TOKENIZER, tmp_path / "corpus")


def test_a_damaged_folder_is_refused_by_name(tmp_path):
    folder = tmp_path / "corpus"
    TokenizedCorpus.build(CORPUS, TOKENIZER, folder)
    content = (folder / "token_ids.bin").read_bytes()
    (folder / "token_ids.bin").write_bytes(content[:-1])
    with pytest.raises(UserError, match=r"token_ids.bin is damaged: it has 21 bytes, expected 22"):
        TokenizedCorpus.open(folder)
    (folder / "token_ids.bin").unlink()
    with pytest.raises(UserError, match=r"token_ids.bin is missing"):
        TokenizedCorpus.open(folder)
    (folder / "corpus.json").write_text(json.dumps({"num_tokens": 1}))
    with pytest.raises(UserError, match="not the description of a tokenised corpus"):
        TokenizedCorpus.open(folder)
    (folder / "corpus.json").unlink()
    with pytest.raises(UserError, match=r"corpus.json can't be read"):
        TokenizedCorpus.open(folder)


def sentence_numbers(documents):
    return {s for first, end in zip(documents.first, documents.end, strict=True) for s in range(first, end)}


def test_of_many_documents_every_20th_is_held_out(labelled):
    corpus = labelled([[1, 1, 1]] * 100).corpus
    training, held_out = corpus.split()
    assert (held_out.first // 3).tolist() == [19, 39, 59, 79, 99]
    assert (corpus.split(held_out_every=50)[1].first // 3).tolist() == [49, 99]
    assert sentence_numbers(training) | sentence_numbers(held_out) == set(range(300))
    assert not sentence_numbers(training) & sentence_numbers(held_out)


def test_documents_of_one_sentence_are_in_neither_part(labelled):
    training, held_out = labelled([[1], [1, 1]] * 50).corpus.split()
    assert len(training.first) == 48
    assert (held_out.first // 3).tolist() == [19, 39]
    assert set((training.first % 3).tolist()) == {1}


def test_of_few_documents_the_last_sentences_are_held_out(labelled):
    training, held_out = labelled([[1] * 100, [1] * 5, [1] * 10]).corpus.split()
    assert training.first.tolist() == [0, 100, 105]
    assert training.end.tolist() == [95, 105, 113]
    assert held_out.first.tolist() == [95, 113]
    assert held_out.end.tolist() == [100, 115]


# -- a vocabulary and ids from one reading -----------------------------------------------------------------------------

SENTENCES = ["The dog sees the river.", "The river is cold.", "", "The cat sees the dog.", "Ein Fluß, “kalt”.", ""] * 3
VOCAB_SIZE = 44


def prepare(folder, sentences=SENTENCES):
    train = partial(BertTokenizer.train, vocab_size=VOCAB_SIZE, model_max_length=24)
    prepare_corpus(sentences, folder / "tokenizer", folder / "corpus", train)
    return BertTokenizer.from_pretrained(folder / "tokenizer"), TokenizedCorpus.open(folder / "corpus")


def test_a_corpus_is_read_once_and_its_vocabulary_and_ids_are_those_of_two_readings(tmp_path):
    tokenizer, corpus = prepare(tmp_path, iter(SENTENCES))
    expected = BertTokenizer.train(SENTENCES, VOCAB_SIZE)
    ids = range(VOCAB_SIZE)
    assert tokenizer.convert_ids_to_tokens(ids) == expected.convert_ids_to_tokens(ids)
    assert tokenizer.model_max_length == 24
    assert corpus.fingerprint == TokenizedCorpus.build(SENTENCES, expected, tmp_path / "expected").fingerprint


def test_nothing_but_the_vocabulary_and_the_ids_is_left_behind(tmp_path):
    prepare(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"tokenizer", "corpus"}


def test_a_corpus_that_was_half_prepared_is_not_there_and_can_be_prepared_again(tmp_path, monkeypatch):
    def power_cut(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(TokenizedCorpus, "build", power_cut)
    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path)
    assert not (tmp_path / "corpus").exists()
    monkeypatch.undo()
    assert prepare(tmp_path)[1].num_documents == 6


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tokenized_corpus, "TemporaryFile", full)
    with pytest.raises(UserError, match="can't be written: No space left on device"):
        prepare(tmp_path)
