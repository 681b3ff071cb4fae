import gzip
import random
from itertools import groupby

import pytest
from tqdm import tqdm

from minitransformer.corpora import text_files
from minitransformer.corpora.tables import TEXTS, read_table
from minitransformer.corpora.text_files import TextFiles
from minitransformer.errors import UserError


def documents(*paths):
    """The corpus as a list of documents, each a list of sentences."""
    result, document = [], []
    for sentence in TextFiles(paths):
        if sentence:
            document.append(sentence)
        else:
            result.append(document)
            document = []
    assert not document, "the last document isn't ended by an empty string"
    return result


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="corpus.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


TEXT = "One dog. Two dogs.\nThree dogs.\n\n\n \t\nFour cats!\r\n\r\nFive cats?"
DOCUMENTS = [["One dog.", "Two dogs.", "Three dogs."], ["Four cats!"], ["Five cats?"]]


@pytest.mark.parametrize("text", [TEXT, TEXT + "\n", "\n\n" + TEXT + "\n\n\n", "\ufeff" + TEXT])
def test_empty_lines_end_documents_and_paragraphs_are_cut_into_sentences(write, text):
    assert documents(write(text)) == DOCUMENTS


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_any_line_end_will_do(write, end):
    text = TEXT.replace("\r", "").encode().replace(b"\n", end)
    assert documents(write(text)) == DOCUMENTS


def test_a_gzip_file_that_unpacks_to_more_than_any_text_is_refused(write, monkeypatch):
    monkeypatch.setattr(text_files, "UNPACKED_BYTES", 100_000)
    bomb = write(gzip.compress(b"word. \n" * 100_000), "bomb.gz")
    with pytest.raises(UserError, match=r"bomb.gz unpacks to more than 200 times its size, which no text does"):
        list(TextFiles([bomb]))
    with pytest.raises(UserError, match=r"bomb.gz unpacks to more than 200 times"):
        read_table(bomb, TEXTS)


def test_a_gzip_file_is_read_whatever_its_name(write):
    assert documents(write(gzip.compress(TEXT.encode()), "corpus.gz")) == DOCUMENTS
    assert documents(write(gzip.compress(TEXT.encode()), "corpus.txt")) == DOCUMENTS


def test_a_new_file_begins_a_new_document_and_a_corpus_can_be_read_again(write):
    files = TextFiles([write("One.", "a.txt"), write("Two.", "b.txt")])
    assert list(files) == list(files) == ["One.", "", "Two.", ""]


def wrapped_text():
    draw = random.Random(0)
    sentences = [" ".join(["Word"] + ["word" * draw.randint(1, 2) for _ in range(30)]) + "." for _ in range(40)]
    chapters = [sentences[:20], sentences[20:]]
    wrapped = []
    for chapter in chapters:
        for first in range(0, 20, 2):
            line = ""
            for word in " ".join(chapter[first : first + 2]).split():
                if len(line) + len(word) > 70:
                    wrapped.append(line)
                    line = word
                else:
                    line = f"{line} {word}".strip()
            wrapped += [line, ""]
        wrapped += ["", ""]
    return chapters, "\n".join(wrapped)


def test_sentences_of_nearly_equal_length_a_line_each_are_not_wrapped_text(write):
    story = [f"Sentence {number} of this story has about as many letters as the others." for number in range(10, 40)]
    text = "\n\n".join("\n".join(story[start : start + 10]) for start in (0, 10, 20))
    sentences = list(TextFiles([write(text)]))
    assert sentences.count("") == 3
    assert sentences[:10] == story[:10]


def test_wrapped_lines_are_joined_and_two_empty_lines_end_a_document(write):
    chapters, text = wrapped_text()
    assert documents(write(text)) == chapters


def test_lines_of_ordinary_paragraphs_are_not_joined(write):
    chapters, _ = wrapped_text()
    draw = random.Random(1)
    lines = [sentence[: draw.randint(30, 300)] for chapter in chapters for sentence in chapter]
    assert documents(write("\n".join(lines))) == [[line.strip() for line in lines]]


def test_progress_arrives_at_the_size_of_the_files(write):
    files = TextFiles([write(TEXT, "a.txt"), write(gzip.compress(TEXT.encode()), "b.gz")])
    with tqdm(total=files.num_bytes, disable=False, file=open("/dev/null", "w")) as bar:
        list(files.sentences(bar))
    assert bar.n == files.num_bytes


def test_a_long_line_is_read_up_to_the_limit_only(write, monkeypatch):
    monkeypatch.setattr(text_files, "MAX_LINE_BYTES", 1000)
    path = write("Short.\n" + "word " * 300)
    with pytest.raises(UserError, match=r"corpus.txt, line 2 is longer than"):
        list(TextFiles([path]))


# -- running text ------------------------------------------------------------------------------------------------------


def test_running_text_is_left_as_it_is_but_for_the_ends_of_its_lines(write):
    plain = write("\ufeffOne  dog.\r\n\r\n\tTwo dogs. \rThree", "a.txt")
    files = TextFiles([plain, write(gzip.compress(b"Four\n"), "b.gz")])
    documents = [[*blocks] for is_end, blocks in groupby(files.running_text(), key=lambda block: not block)]
    assert ["".join(blocks) for blocks in documents] == ["One  dog.\n\n\tTwo dogs. \nThree", "", "Four\n", ""]


@pytest.mark.parametrize("length", [1, 3, 10, 10_000])
def test_blocks_of_running_text_end_where_a_word_ends(write, monkeypatch, length):
    monkeypatch.setattr(text_files, "MAX_BLOCK_LENGTH", length)
    text = "Ein Käse, zwei  Käse;\n\n drei\tKäse 🧀🧀🧀.\n" * 9
    blocks = list(TextFiles([write(text)]).running_text())
    assert "".join(blocks) == text
    assert blocks[-1] == ""
    if length == 10:
        assert len(blocks) > 30
        assert not any(block[-1].isspace() for block in blocks[:-2])


def test_a_text_without_spaces_has_blocks_all_the_same(write, monkeypatch):
    monkeypatch.setattr(text_files, "MAX_BLOCK_LENGTH", 100)
    assert [len(block) for block in TextFiles([write("x" * 250)]).running_text()] == [100, 100, 50, 0]


def test_the_progress_of_running_text_arrives_at_the_size_of_the_files(write):
    files = TextFiles([write(TEXT, "a.txt"), write(gzip.compress(TEXT.encode()), "b.gz")])
    with tqdm(total=files.num_bytes, disable=False, file=open("/dev/null", "w")) as bar:
        list(files.running_text(bar))
    assert bar.n == files.num_bytes


# -- what is no text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "corpus.txt is empty"),
        (b" \n\n \t\r\n", "holds no text, only white space"),
        (b"Good.\nB\xe9b\xe9.\n", "line 2: byte 2 of the line is 0xe9, which is not valid UTF-8"),
        (b"Good.\n\x00\x01\x02", "line 2 holds a zero byte: this is a binary file"),
        ("Hello.".encode("utf-16"), "UTF-16"),
        (gzip.compress(b"word. " * 5000, mtime=0)[:-9], "damaged or cut-off gzip"),
        (gzip.compress(b"word. " * 5000, mtime=0)[:-8] + b"12345678", "damaged or cut-off gzip"),
        (gzip.compress(b"", mtime=0), "holds no text"),
        (b"Good.\n\n" + b"no end " * 200_000, "line 3 holds 1,399,999 characters without the end of a sentence"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_words(write, content, words):
    with pytest.raises(UserError, match=words):
        list(TextFiles([write(content)]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "corpus.txt is empty"),
        (b" \n\n \t\r\n", "holds no text, only white space"),
        (b"Good.\nB\xe9b\xe9.\n", "line 2: byte 2 of the line is 0xe9, which is not valid UTF-8"),
        (b"Good.\n" * 300_000 + b"\xff", "line 300001: byte 1 of the line is 0xff"),
        (b"Cut off: \xc3", "line 1: byte 10 of the line is 0xc3"),
        (b"Good.\n\x00\x01\x02", "line 2 holds a zero byte: this is a binary file"),
        ("Hello.".encode("utf-16"), "UTF-16"),
        (gzip.compress(b"word. " * 5000, mtime=0)[:-9], "damaged or cut-off gzip"),
    ],
)
def test_running_text_that_is_no_text_is_refused_in_the_same_words(write, content, words):
    with pytest.raises(UserError, match=words):
        list(TextFiles([write(content)]).running_text())


def test_a_path_that_is_no_file_is_refused_at_once(tmp_path):
    with pytest.raises(UserError, match="is a folder; name the text files"):
        TextFiles([tmp_path])
    with pytest.raises(UserError, match="does not exist"):
        TextFiles([tmp_path / "missing.txt"])
    with pytest.raises(UserError, match="no corpus file"):
        TextFiles([])
