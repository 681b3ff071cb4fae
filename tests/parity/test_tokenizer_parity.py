"""BertTokenizer gives the ids and segments of transformers' BertTokenizer with the released uncased vocabulary.

The vocabulary and the texts are looked for in the folder MINITRANSFORMER_DATA, ../shared/data beside the repository
unless it is set.
"""

import os
from pathlib import Path

import pytest

from minitransformer.text.bert_tokenizer import BertTokenizer

transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")

DATA = Path(os.environ.get("MINITRANSFORMER_DATA", Path(__file__).parents[3] / "shared" / "data"))
VOCABULARY = DATA / "vocab_bert_base_uncased"
pytestmark = pytest.mark.skipif(not VOCABULARY.exists(), reason=f"no vocabulary in {VOCABULARY}")

HOSTILE = [
    "",
    " \t\n",
    "Füße, naïve CAFÉ; İstanbul ǅ ﬁn",
    "我爱北京 and ひらがな 한국어",
    "zero\u0000width\u200bjoiner\u200d and\u00a0nbsp\u3000wide",
    "emoji 🤗👍🏽 flags 🇺🇸",
    "e\u0301 combining, \u0301 alone",
    "a" * 101 + " " + "a" * 100,
    "don't re-use $5.00/kg... [MASK] [SEP] [CLS][PAD] [mask] ##ing",
    "\ufeffbom \ufffd replacement \x85 next line \x1c separator",
]


def real_lines(count_per_file: int = 400) -> list[str]:
    lines = []
    for name in ("corpus_sotu/corpus.txt", "corpus_wikitext2/valid.txt", "emotion_goemotions/ekman/dev.tsv"):
        if (DATA / name).exists():
            text = (DATA / name).read_text(encoding="utf-8")
            lines += [line for line in text.split("\n") if line.strip()][:count_per_file]
    return lines


@pytest.fixture(scope="module")
def theirs():
    return transformers.BertTokenizer.from_pretrained(VOCABULARY)


@pytest.fixture(scope="module")
def ours():
    return BertTokenizer.from_pretrained(VOCABULARY)


def assert_equal(tokens, reference):
    assert [ids.tolist() for ids in tokens.unpack(tokens.token_ids)] == reference["input_ids"]
    assert [ids.tolist() for ids in tokens.unpack(tokens.segment_ids)] == reference["token_type_ids"]


@pytest.mark.parametrize("max_length", [None, 16])
def test_single_texts_give_the_ids_of_transformers(ours, theirs, max_length):
    texts = [*HOSTILE, *real_lines()]
    reference = theirs(texts, truncation=max_length is not None, max_length=max_length)
    assert_equal(ours(texts, max_length=max_length), reference)


@pytest.mark.parametrize("max_length", [None, 16, 33, 64])
def test_pairs_give_the_ids_and_segments_of_transformers(ours, theirs, max_length):
    firsts = [*HOSTILE, *real_lines(100)]
    seconds = firsts[::-1]
    reference = theirs(firsts, seconds, truncation="longest_first" if max_length else False, max_length=max_length)
    assert_equal(ours(firsts, pairs=seconds, max_length=max_length), reference)


def test_a_folder_that_we_saved_reads_the_same_in_transformers(ours, theirs, tmp_path):
    ours.save_pretrained(tmp_path)
    again = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert again.model_max_length == 512
    assert again(HOSTILE)["input_ids"] == theirs(HOSTILE)["input_ids"]


def test_a_folder_that_transformers_saved_reads_the_same_here(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.txt").exists()
    assert_equal(BertTokenizer.from_pretrained(tmp_path)(HOSTILE), theirs(HOSTILE))


def test_decoded_text_is_that_of_transformers(ours, theirs):
    for text in [*HOSTILE, *real_lines(20)]:
        ids = ours(text).token_ids
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
