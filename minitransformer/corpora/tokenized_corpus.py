"""A corpus as token ids on disk, read through memory maps, so that its size costs disk and not memory.

A folder holds four files, little-endian:

    token_ids.bin         uint16 (uint32 from 65,536 tokens of vocabulary), the sentences without [CLS] and [SEP]
    sentence_starts.bin   int64, the first token of each sentence, and finally the number of tokens
    document_starts.bin   int64, the first sentence of each document, and finally the number of sentences
    corpus.json           the numbers of tokens, sentences and documents, and a fingerprint of the other three
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple, Self, TextIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from minitransformer.corpora.token_files import (
    IDS_FILE,
    Spread,
    corpus_folder,
    dtype_of_ids,
    map_file,
    read_facts,
    write_facts,
)
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import IntArray

MAX_SENTENCE_TOKENS = 128  # a longer sentence becomes several, so that none of its tokens are cut off in training
SENTENCES_AT_ONCE = 4096
HELD_OUT_EVERY = 20  # documents one is held out: 5 % of the text


class Documents(NamedTuple):
    """Some documents of a corpus by their sentences: first (D,) and end (D,), the one after the last."""

    first: IntArray
    end: IntArray


@dataclass(frozen=True, eq=False)
class TokenizedCorpus:
    """token_ids (all tokens,), sentence_starts (sentences + 1,), document_starts (documents + 1,); see the module."""

    token_ids: NDArray[np.unsignedinteger]
    sentence_starts: IntArray
    document_starts: IntArray
    fingerprint: str

    @property
    def num_tokens(self) -> int:
        return len(self.token_ids)

    @property
    def num_sentences(self) -> int:
        return len(self.sentence_starts) - 1

    @property
    def num_documents(self) -> int:
        return len(self.document_starts) - 1

    @classmethod
    def build(
        cls, corpus: Iterable[str], tokenizer: BertTokenizer, folder: str | os.PathLike, spread: Spread = map
    ) -> Self:
        """Tokenise a corpus (corpora/corpus.py) into a folder and open it; memory doesn't grow with the corpus.

        `spread` is the built-in map or one that lets other processes help (training/machines.py).
        The folder appears when it is complete, in place of an older tokenised corpus. Raises UserError if the corpus
        holds no text, if the folder exists and is something else, or if the disk is full.
        """
        with corpus_folder(Path(folder)) as partial:
            write_corpus(tokenize(corpus, tokenizer, spread), dtype_of_ids(tokenizer.vocab_size), partial)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Self:
        """Map the files of a folder into memory. Raises UserError if one is missing or has the wrong size."""
        folder = Path(folder)
        names = "token_dtype", "num_tokens", "num_sentences", "num_documents", "fingerprint"
        dtype, num_tokens, num_sentences, num_documents, fingerprint = read_facts(folder, *names)
        return cls(
            map_file(folder / IDS_FILE, np.dtype(dtype), num_tokens),
            map_file(folder / "sentence_starts.bin", np.dtype("<i8"), num_sentences + 1),
            map_file(folder / "document_starts.bin", np.dtype("<i8"), num_documents + 1),
            fingerprint,
        )

    def split(self, held_out_every: int = HELD_OUT_EVERY, shortest: int = 2) -> tuple[Documents, Documents]:
        """The documents to train on, and those held out to test on: one n-th of the text, n being held_out_every.

        Of the documents with `shortest` sentences or more, every n-th is held out. (Those of one sentence give no
        next-sentence pair and are then in neither part.) A corpus of few documents, such as some novels, can't spare
        whole ones: of each that has six sentences or more, the last n-th is held out, at least two sentences.
        """
        first, end = self.document_starts[:-1], self.document_starts[1:]
        is_enough = end - first >= shortest
        first, end = first[is_enough], end[is_enough]
        if len(first) >= 2 * held_out_every:
            held_out = np.arange(len(first)) % held_out_every == held_out_every - 1
            return Documents(first[~held_out], end[~held_out]), Documents(first[held_out], end[held_out])
        lengths = end - first
        num_held_out = np.where(lengths < 6, 0, np.maximum(2, lengths // held_out_every))
        cut = end - num_held_out
        return Documents(first, cut), Documents(cut[num_held_out > 0], end[num_held_out > 0])


def prepare_corpus(
    sentences: Iterable[str],
    tokenizer_folder: Path,
    corpus_folder: Path,
    make_tokenizer: Callable[[Iterable[str]], BertTokenizer],
    spread: Spread = map,
) -> None:
    """Make a tokenizer from a corpus (corpora/corpus.py), or whatever else, and tokenise the corpus with it.

    The corpus is read once: its sentences wait in a temporary file until the vocabulary is known. Once corpus_folder is
    there, both are whole. Raises UserError if the text doesn't support the vocabulary, or the disk is full.
    """
    try:
        with TemporaryFile("w+", encoding="utf-8", newline="\n", dir=corpus_folder.parent) as file:
            num_sentences = 0
            for sentence in sentences:
                file.write(f"{sentence}\n")
                num_sentences += 1
            again = tqdm(_lines(file), "learning the vocabulary", num_sentences, unit=" sentences", disable=None)
            tokenizer = make_tokenizer(again)
            tokenizer.save_pretrained(tokenizer_folder)
            again = tqdm(_lines(file), "tokenising", num_sentences, unit=" sentences", disable=None)
            TokenizedCorpus.build(again, tokenizer, corpus_folder, spread)
    except OSError as error:
        raise UserError(f"{corpus_folder.parent} can't be written: {error.strerror or error}") from None


def _lines(file: TextIO) -> Iterator[str]:
    file.seek(0)
    for line in file:
        yield line.removesuffix("\n")


def write_corpus(sentences: Iterable[list[int] | None], dtype: np.dtype, folder: Path) -> None:
    """Write the four files of a tokenised corpus, of what tokenize() gives, into an existing folder."""
    names = (IDS_FILE, "sentence_starts.bin", "document_starts.bin")
    num_tokens = num_sentences = num_documents = 0
    with ExitStack() as files:
        token_ids, sentence_starts, document_starts = (
            files.enter_context((folder / name).open("wb")) for name in names
        )
        document_begins = True
        for pieces in sentences:
            if pieces is None:
                document_begins = True
                continue
            if document_begins:
                document_starts.write(num_sentences.to_bytes(8, "little"))
                num_documents += 1
                document_begins = False
            for part in cut_evenly(pieces):
                sentence_starts.write(num_tokens.to_bytes(8, "little"))
                token_ids.write(np.array(part, dtype).tobytes())
                num_sentences += 1
                num_tokens += len(part)
        sentence_starts.write(num_tokens.to_bytes(8, "little"))
        document_starts.write(num_sentences.to_bytes(8, "little"))
    if not num_tokens:
        raise UserError("the corpus holds no text")
    facts = {"num_tokens": num_tokens, "num_sentences": num_sentences, "num_documents": num_documents}
    write_facts(folder, names, **facts, token_dtype=dtype.str)


def tokenize(corpus: Iterable[str], tokenizer: BertTokenizer, spread: Spread) -> Iterator[list[int] | None]:
    """The token ids of each sentence that has any, and None after each document."""
    sentences = iter(corpus)
    batches = iter(lambda: [*islice(sentences, SENTENCES_AT_ONCE)], [])
    for encoded in spread(partial(_sentences_and_ends, tokenizer), batches):
        yield from encoded


def _sentences_and_ends(tokenizer: BertTokenizer, batch: list[str]) -> list[list[int] | None]:
    encoded = zip(batch, tokenizer.encode_plain(batch), strict=True)
    return [pieces or None for sentence, pieces in encoded if pieces or not sentence]


def cut_evenly(pieces: list[int]) -> list[list[int]]:
    """A sentence in parts of about equal length, none longer than MAX_SENTENCE_TOKENS."""
    num_parts = -(-len(pieces) // MAX_SENTENCE_TOKENS)
    bounds = [len(pieces) * part // num_parts for part in range(num_parts + 1)]
    return [pieces[start:end] for start, end in pairwise(bounds)]
