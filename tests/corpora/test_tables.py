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
    is_header,
    looks_like_header,
    read_table,
    table_of,
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


def test_columns_stand_in_any_order_with_others_between_them_which_are_said(write):
    path = write("id\tScore\tSentence2\tgenre\tSentence1", "7\t3.5\tright\tnews\tleft")
    with pytest.warns(UserWarning, match=r"data.tsv: the columns id, genre are not used$"):
        table = read_table(path, SCORED_PAIRS)
    assert table.texts == (["left"], ["right"])
    assert table.columns["score"] == ["3.5"]


def test_of_many_columns_that_are_not_used_the_first_are_said(write):
    names = [f"column{number}" for number in range(12)]
    with pytest.warns(UserWarning, match=r"the columns column0, .*, column7 and 4 more are not used"):
        read_table(write("\t".join(["text", *names]), "\t".join(["a"] * 13)), TEXTS)
    with pytest.warns(UserWarning, match=r"the column title is not used"):
        read_table(write("title\ttext\tlabel", "good\tfilm\t1"), LABELLED_PAIRS, LABELLED_TEXTS)


def test_the_nameless_index_of_pandas_is_no_column_to_speak_of(write, recwarn):
    assert read_table(write("\ttext", "0\tmy dog"), TEXTS).texts == (["my dog"],)
    assert not recwarn.list


@pytest.mark.filterwarnings("ignore:.*not used")
def test_a_sentence_beside_a_question_is_the_second_text(write):
    """GLUE's QNLI; the same name alone is the text of SST-2."""
    path = write("index\tquestion\tsentence\tlabel", "0\tIs it?\tIt is.\tentailment")
    assert read_table(path, LABELLED_PAIRS, LABELLED_TEXTS).texts == (["Is it?"], ["It is."])
    assert read_table(write("sentence\tlabel", "It is.\t1"), LABELLED_PAIRS, LABELLED_TEXTS).texts == (["It is."],)


@pytest.mark.parametrize(
    "names", [("negative_1", "negative_2"), ("negative", "negative_1"), ("negative1", "negative2")]
)
def test_several_columns_of_negatives_come_with_the_first(write, names):
    path = write("\t".join(["query", "positive", *names]), "a\tb\tc\td")
    assert read_table(path, TRIPLETS, PAIRS).texts == (["a"], ["b"], ["c"], ["d"])


def test_a_column_that_is_there_twice_is_refused(write):
    with pytest.raises(
        UserError, match=r"data.tsv, line 1: the column text is there 2 times; give each a name of its own"
    ):
        read_table(write("text\tText\tlabel", "a\tb\t1"), LABELLED_TEXTS)


def test_which_columns_were_left_out_can_be_asked(write):
    with pytest.warns(UserWarning, match="the column score is not used"):
        table = read_table(write("Anchor\tpositive\tscore", "a\tb\t1"), PAIRS)
    assert table.names == ("Anchor", "positive")
    assert table.others == ("score",)


def test_a_field_may_be_empty_where_the_reader_says_so(write):
    table = read_table(write("text\tlabel", "one\t", "two\tx"), LABELLED_TEXTS, may_be_empty=["label"])
    assert table.columns["label"] == ["", "x"]
    with pytest.raises(UserError, match="the field 'text' is empty"):
        read_table(write("text\tlabel", "\tx"), LABELLED_TEXTS, may_be_empty=["label"])


def test_a_table_of_some_examples_keeps_their_lines(write):
    table = read_table(write("text", "one", "two", "three"), TEXTS).select([2, 0])
    assert table.texts == (["three", "one"],)
    assert table.lines == [4, 2]


def test_a_table_is_read_from_lines_as_well():
    assert table_of([(1, "text"), (2, "my dog")], "standard input", TEXTS).texts == (["my dog"],)
    with pytest.raises(UserError, match="standard input, line 2: the field 'text' is empty"):
        table_of([(1, "text\tlabel"), (2, "\tx")], "standard input", LABELLED_TEXTS)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_any_line_end_will_do(tmp_path, end):
    path = tmp_path / "data.tsv"
    path.write_bytes(end.join(["text\tlabel", "one\tx", "two\ty", ""]).encode())
    table = read_table(path, LABELLED_TEXTS)
    assert (table.texts, table.lines) == ((["one", "two"],), [2, 3])


@pytest.mark.parametrize("first", ["sentence1", "premise", "anchor", "query", "question1", "sentence_A", "#1 String"])
@pytest.mark.parametrize("second", ["sentence2", "hypothesis", "positive", "answer", "question2", "#2 String"])
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
        (["review,label", "a,b"], r"line 1 must be a header .* it lacks text, found: review label"),
        (["te\x1b[31mxt\tlabel", "a\tb"], r"it lacks text, found: te\?\[31mxt label"),
        (
            ["text\tlabel", "a\tb", "", "a b"],
            "data.tsv, line 4: expected 2 fields as in the header, found 1",
        ),
        (
            ["text\tlabel", "a\tb\tc"],
            "line 2: expected 2 fields .*, found 3; replace tabs inside texts by spaces",
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


def test_a_header_is_told_from_a_text():
    assert is_header("Sentence1\tid\tsentence2", TEXTS, PAIRS)
    assert is_header("label\ttext", TEXTS, PAIRS)
    assert is_header('"text","label"', TEXTS, PAIRS)
    assert is_header("\ttext", TEXTS, PAIRS)
    assert not is_header("sentence1\tscore", TEXTS, PAIRS)
    assert not is_header("The text of the label", TEXTS, PAIRS)
    assert not is_header("Text, please", TEXTS, PAIRS)
    assert not is_header("", TEXTS, PAIRS)


@pytest.mark.parametrize(
    "lines",
    [
        ["review\tsentiment", "good film\t1", "bad film\t0"],
        ["a\tb", "good film\tthe dog is cute", "bad film\tthe dog ran"],
        ["review,sentiment", "good film,1", "bad film,0"],
    ],
)
def test_names_over_texts_look_like_a_header(lines):
    assert looks_like_header(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["review", "good film"],
        ["good\tfilm", "bad\tdog"],
        ["good film\tbad film", "dog\tcat"],
        ["Well,then", "good film", "a, b, c"],
        ["good\tfilm"],
    ],
)
def test_texts_do_not_look_like_a_header(lines):
    assert not looks_like_header(lines)
