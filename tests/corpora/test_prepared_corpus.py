import errno

import pytest

from minitransformer.corpora import prepared_corpus
from minitransformer.corpora.prepared_corpus import prepare_corpus
from minitransformer.corpora.tokenized_corpus import TokenizedCorpus
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer

SENTENCES = ["The dog sees the river.", "The river is cold.", "", "The cat sees the dog.", "Ein Fluß, “kalt”.", ""] * 3
VOCAB_SIZE = 44


def prepare(folder, sentences=SENTENCES):
    prepare_corpus(sentences, folder / "tokenizer", folder / "corpus", VOCAB_SIZE, max_length=24)
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

    monkeypatch.setattr(prepared_corpus, "TemporaryFile", full)
    with pytest.raises(UserError, match="can't be written: No space left on device"):
        prepare(tmp_path)
