import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from from_scratch import next_sentences, write_next_sentences

SENTENCES = [
    "The first sentence has six words.",
    "The second sentence follows the first.",
    "Too short.",
    "The fourth one comes after it.",
    "",
    "Another document begins with this one.",
    "And it ends with this one.",
]


def test_a_sentence_is_paired_with_the_next_one_of_its_document_if_both_are_of_a_good_length():
    assert [*next_sentences(SENTENCES)] == [tuple(SENTENCES[:2]), tuple(SENTENCES[5:])]


def test_the_table_holds_each_pair_once_below_a_header(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES) + "\n")
    write_next_sentences((str(corpus),), tmp_path / "pairs.tsv")
    header, *lines = (tmp_path / "pairs.tsv").read_text().splitlines()
    assert header == "sentence1\tsentence2"
    assert sorted(lines) == sorted("\t".join(pair) for pair in next_sentences(SENTENCES))


def test_a_corpus_that_is_not_there_is_one_sentence(tmp_path):
    script = Path(__file__).parents[2] / "scripts" / "from_scratch.py"
    tables = ["--nli", "nli.tsv", "--sts-train", "train.tsv", "--sts-dev", "dev.tsv"]
    command = [sys.executable, script, tmp_path / "no.txt", *tables, "--out", tmp_path / "out"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "no.txt" in ended.stderr
    assert "Traceback" not in ended.stderr
