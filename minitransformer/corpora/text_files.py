"""The user's text files, a little of them at a time, so that memory doesn't grow with the files.

The files hold UTF-8 text, plain or compressed with gzip. As running text each file is one document, and is left as it
is, but that every line ends in "\\n".

For their sentences, the files have one paragraph or sentence per line and a blank line between documents. Files whose
lines are wrapped at a fixed width, like those of Project Gutenberg, are recognised by that: their paragraphs are the
lines between blank lines, and two blank lines or more separate documents. A new file begins a new document.
"""

import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from minitransformer.corpora.corpus import Corpus
from minitransformer.corpora.sentences import split_sentences
from minitransformer.errors import UserError
from minitransformer.text.byte_pair_tokenizer import last_cut

MAX_LINE_BYTES = 16_000_000  # a long book on one line
UNPACKED_BYTES, UNPACKED_RATIO = (
    50_000_000,
    200,
)  # beyond both, a gzip file was made to fill memory: text shrinks 3 to 10 times
MAX_SENTENCE_LENGTH = 1_000_000  # characters; anything longer isn't prose
MAX_PARAGRAPH_LINES = 10_000  # of wrapped lines, so that memory stays bounded
MAX_BLOCK_LENGTH = 2**20  # characters of running text
WRAP_SAMPLE_LINES = 2_000
LONGEST_WRAPPED_LINE = 1_000  # a URL, maybe; in a file of one paragraph per line, some line is longer than this

NumberedLine = tuple[int, str]


class TextFiles(Corpus):
    """The corpus in some text files.

    Raises UserError for a file that is missing, empty, binary, not UTF-8, damaged, or has too long lines: immediately
    if the file system shows it, otherwise when the iteration gets there.
    """

    def __init__(self, paths: Iterable[str | os.PathLike]) -> None:
        self.paths = [Path(path) for path in paths]
        if not self.paths:
            raise UserError("no corpus file was given")
        for path in self.paths:
            check_file(path)

    def sentences(self, progress: tqdm | None = None) -> Iterator[str]:
        for path in self.paths:
            num_documents = 0
            for number, paragraph in paragraphs(read_lines(path, progress), is_wrapped(path)):
                num_documents += not paragraph
                yield from checked_sentences(path, number, paragraph) if paragraph else [""]
            if not num_documents:
                raise UserError(f"{path} holds no text, only white space")

    def running_text(self, progress: tqdm | None = None) -> Iterator[str]:
        for path in self.paths:
            is_blank = True
            for block in read_blocks(path, progress):
                is_blank = is_blank and block.isspace()
                yield block
            if is_blank:
                raise UserError(f"{path} holds no text, only white space")
            yield ""

    @property
    def num_bytes(self) -> int:
        """The size of the files, compressed as they are."""
        return sum(path.stat().st_size for path in self.paths)


def check_file(path: Path) -> None:
    """Raise UserError for what is wrong as far as the file system shows."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the text files in it, for example {path}/*.txt")
    if not path.exists():
        raise UserError(f"{path} does not exist; expected a text file in UTF-8, plain or as .gz")
    if not path.is_file():
        raise UserError(f"{path} is not a regular file, but a corpus is read more than once; save it to a file first")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; expected text, one paragraph or sentence per line")


class _Unpacked(gzip.GzipFile):
    """The lines of a gzip file. Raises UserError for one that unpacks to far more than any text does."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__(fileobj=file)
        self.path, self.packed = path, file

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(-1 if size is None else size))

    def read1(self, size: int = -1) -> bytes:
        return self._checked(super().read1(size))

    def _checked(self, content: bytes) -> bytes:
        if self.tell() > max(UNPACKED_BYTES, UNPACKED_RATIO * self.packed.tell()):
            raise UserError(f"{self.path} unpacks to more than {UNPACKED_RATIO} times its size, which no text does")
        return content


@contextmanager
def open_text(path: Path) -> Iterator[tuple[io.BufferedIOBase, io.BufferedIOBase]]:
    """The file's text as bytes, unpacked if it is gzip, and the file itself, whose position is the progress."""
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield (_Unpacked(path, file) if is_gzip else file), file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is a damaged or cut-off gzip file ({error}); copy or download it again") from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror or error}") from None


def read_lines(path: Path, progress: tqdm | None = None) -> Iterator[NumberedLine]:
    """(line number from 1, line without surrounding white space) of a text file, one at a time."""
    with open_text(path) as (text, file):
        position = 0
        for number, line in decoded_lines(text, path):
            yield number, line.strip()
            if progress is not None:
                progress.update(file.tell() - position)
                position = file.tell()


def read_blocks(path: Path, progress: tqdm | None = None) -> Iterator[str]:
    """The running text of a file in blocks, each of which ends where a word ends if there is such a place in it."""
    with open_text(path) as (text, file):
        position, rest = 0, ""
        for part in decoded_parts(text, path):
            block = rest + part
            end = last_cut(block) or len(block)
            yield block[:end]
            rest = block[end:]
            if progress is not None:
                progress.update(file.tell() - position)
                position = file.tell()
        if rest:
            yield rest


def decoded_parts(text: Any, path: Path) -> Iterator[str]:
    """Some characters of a text at a time."""
    reader = io.TextIOWrapper(text, encoding="utf-8-sig")
    try:
        while part := reader.read(MAX_BLOCK_LENGTH):
            if "\0" in part:
                raise UnicodeError
            yield part
    except UnicodeError:
        for _ in read_lines(path):  # raises the error that says where it is
            pass
        raise
    finally:
        reader.detach()


def decoded_lines(text: io.BufferedIOBase | BinaryIO, source: str | Path) -> Iterator[NumberedLine]:
    """(line number from 1, line without its end) of a stream of bytes, which error messages call `source`.

    A line ends with LF, CR LF or CR, as Unix, Windows and old Macs write them.
    """
    number = 0
    for block in iter(lambda: text.readline(MAX_LINE_BYTES + 1), b""):
        if len(block) > MAX_LINE_BYTES:
            too_long = f"{source}, line {number + 1} is longer than {MAX_LINE_BYTES / 1e6:.0f} MB"
            raise UserError(f"{too_long}; expected one paragraph or sentence per line")
        for line in block.rstrip(b"\r\n").split(b"\r"):
            number += 1
            yield number, decode(line, source, number)


def decode(line: bytes, path: str | Path, number: int) -> str:
    """Decode a line. Errors name the line and the byte."""
    if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path} is text in UTF-16; convert it, for example: iconv -f utf-16 -t utf-8 FILE")
    if b"\0" in line:
        raise UserError(f"{path}, line {number} holds a zero byte: this is a binary file; expected text in UTF-8")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {number}: byte {error.start + 1} of the line is 0x{line[error.start]:02x}, which is not "
            "valid UTF-8. If the file is text in Latin-1, convert it: iconv -f latin1 -t utf-8 FILE; "
            "if it isn't text at all, choose another"
        ) from None


def is_wrapped(path: Path) -> bool:
    """Whether the lines of a file are wrapped at a fixed width.

    If so, the lines within a paragraph are nearly equally long, and most of them end in the middle of a sentence.
    """
    lengths, num_ended = [], 0
    for (_, line), (_, following) in pairwise(islice(read_lines(path), WRAP_SAMPLE_LINES)):
        if len(line) > LONGEST_WRAPPED_LINE:
            return False
        if line and following:
            lengths.append(len(line))
            num_ended += line.rstrip("\"'”’)").endswith((".", "!", "?"))
    if len(lengths) < 20 or num_ended > len(lengths) / 2:
        return False
    short, width = np.percentile(lengths, [20, 95])
    return 40 <= width <= 120 and short > 0.75 * width


def paragraphs(lines: Iterable[NumberedLine], wrapped: bool) -> Iterator[NumberedLine]:
    """(number of the first line, paragraph); an empty paragraph ends each document."""
    blank_lines_between_documents = 2 if wrapped else 1
    lines_of_paragraph = MAX_PARAGRAPH_LINES if wrapped else 1
    paragraph: list[str] = []
    first, num_blank, in_document = 0, 0, False
    for number, line in lines:
        if line:
            first = number if not paragraph else first
            paragraph.append(line)
            num_blank, in_document = 0, True
        else:
            num_blank += 1
        if paragraph and (not line or len(paragraph) == lines_of_paragraph):
            yield first, " ".join(paragraph)
            paragraph = []
        if in_document and num_blank == blank_lines_between_documents:
            yield number, ""
            in_document = False
    if paragraph:
        yield first, " ".join(paragraph)
    if in_document:
        yield first, ""


def checked_sentences(path: Path, number: int, paragraph: str) -> list[str]:
    """The sentences of a paragraph. Raises UserError if one is longer than any sentence of prose."""
    sentences = split_sentences(paragraph)
    if (longest := max(map(len, sentences))) > MAX_SENTENCE_LENGTH:
        too_long = f"{path}, line {number} holds {longest:,} characters without the end of a sentence"
        raise UserError(f"{too_long}; expected one paragraph or sentence per line")
    return sentences
