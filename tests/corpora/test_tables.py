import gzip
import re

import pytest

from minitransformer.corpora.tables import (
    LABELLED_PAIRS,
    LABELLED_TEXTS,
    PAIRS,
    SCORED_PAIRS,
    TEXTS,
    TRIPLETS,
    has_columns,
    read_table,
)
from minitransformer.errors import UserError


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "data.tsv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


def test_nli_pairs_with_their_labels(write):
    path = write("premise\thypothesis\tlabel", "A man eats.\tSomeone eats.\tentailment", "A dog.\tA cat.\tneutral")
    table = read_table(path, LABELLED_PAIRS, LABELLED_TEXTS)
    assert table.texts == (["A man eats.", "A dog."], ["Someone eats.", "A cat."])
    assert table.columns["label"] == ["entailment", "neutral"]


def test_the_first_layout_that_the_header_has_all_of_is_read(write):
    path = write("text\tlabel", "I am glad\tjoy")
    assert read_table(path, LABELLED_PAIRS, LABELLED_TEXTS).texts == (["I am glad"],)
    path = write("anchor\tpositive\tnegative", "a\tb\tc")
    assert len(read_table(path, TRIPLETS, PAIRS).texts) == 3
    path = write("anchor\tpositive", "a\tb")
    assert len(read_table(path, TRIPLETS, PAIRS).texts) == 2


def test_columns_stand_in_any_order_with_others_between_them_and_in_any_case(write):
    path = write("id\tScore\tSentence2\tgenre\tSentence1", "7\t3.5\tright\tnews\tleft")
    table = read_table(path, SCORED_PAIRS)
    assert table.texts == (["left"], ["right"])
    assert table.columns["score"] == ["3.5"]


@pytest.mark.parametrize("first", ["sentence1", "premise", "anchor", "query"])
@pytest.mark.parametrize("second", ["sentence2", "hypothesis", "positive", "answer"])
def test_pairs_by_all_their_names(write, first, second):
    assert read_table(write(f"{first}\t{second}", "a\tb"), PAIRS).texts == (["a"], ["b"])


def test_blank_lines_are_skipped_and_the_others_keep_their_numbers(write):
    table = read_table(write("", "text", "one", "  ", "two"), TEXTS)
    assert table.texts == (["one", "two"],)
    assert table.lines == [3, 5]
    assert table.where(1).endswith("data.tsv, line 5")


def test_quotes_are_part_of_the_text(write):
    assert read_table(write("text\tlabel", '"quite" so\t1'), LABELLED_TEXTS).texts == (['"quite" so'],)


def test_gzip_byte_order_marks_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "data.tsv.gz"
    path.write_bytes(gzip.compress("\ufefftext\tlabel\r\nnaïve\tyes\r\n".encode()))
    table = read_table(path, LABELLED_TEXTS)
    assert table.texts == (["naïve"],)
    assert table.columns["label"] == ["yes"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "data.tsv is empty; expected a header and tab-separated lines"),
        (["premise\thypothesis\tlabel"], "data.tsv has a header, but no line after it"),
        (
            ["premise\thypothesis", "a\tb"],
            r"data.tsv, line 1 must be a header with the columns sentence1 sentence2 label or text label, "
            r"separated by tabs; it lacks label, found: premise hypothesis",
        ),
        (["A text.\tjoy", "Another.\tanger"], r"line 1 must be .* it lacks text and label, found: A text. joy"),
        (["text,label", "a,b"], r"line 1 must be a header .* it lacks text and label, found: text,label"),
        (
            ["text\tlabel", "a\tb", "", "a b"],
            "data.tsv, line 4: expected 2 tab-separated fields as in the header, found 1",
        ),
        (
            ["text\tlabel", "a\tb\tc"],
            "line 2: expected 2 tab-separated fields .*, found 3; replace tabs inside texts by spaces",
        ),
        (["text\tlabel", "a\tb", " \tb"], "data.tsv, line 3: the field 'text' is empty; fill it or delete the line"),
        (["premise\thypothesis\tgold_label", "a\tb\t"], "data.tsv, line 2: the field 'gold_label' is empty"),
    ],
)
def test_errors_say_where_and_what_to_do(write, lines, message):
    with pytest.raises(UserError, match=message):
        read_table(write(*lines), LABELLED_PAIRS, LABELLED_TEXTS)


def test_text_that_is_not_utf_8_and_files_that_are_not_there(tmp_path):
    path = tmp_path / "latin.tsv"
    path.write_bytes("text\tlabel\ncafé\tyes\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin.tsv, line 2: byte 4 of the line is 0xe9, which is not valid UTF-8"):
        read_table(path, LABELLED_TEXTS)
    with pytest.raises(UserError, match=re.escape(f"{tmp_path / 'no.tsv'} can't be read")):
        read_table(tmp_path / "no.tsv", LABELLED_TEXTS)


def test_a_header_is_told_from_a_text(write):
    assert has_columns(write("Sentence1\tid\tsentence2", "a\t1\tb"), TEXTS, PAIRS)
    assert has_columns(write("label\ttext", "a\tb"), TEXTS, PAIRS)
    assert not has_columns(write("sentence1\tscore", "a\t1"), TEXTS, PAIRS)
    assert not has_columns(write("The text of the label", "another"), TEXTS, PAIRS)
    assert not has_columns(write(), TEXTS, PAIRS)
