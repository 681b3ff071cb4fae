"""From a text to what pretraining reads: a vocabulary learnt from it, and its sentences as ids in that vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from tqdm import tqdm

from minitransformer.corpora.tokenized_corpus import TokenizedCorpus
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer


def prepare_corpus(
    sentences: Iterable[str], tokenizer_folder: Path, corpus_folder: Path, vocab_size: int, max_length: int
) -> None:
    """Learn a vocabulary of vocab_size tokens from a corpus (corpora/corpus.py) and tokenise the corpus with it.

    The corpus is read once: its sentences wait in a temporary file until the vocabulary is known. The tokenizer
    remembers max_length. Once corpus_folder is there, both are whole. Raises UserError if the text doesn't support the
    vocabulary, or the disk is full.
    """
    try:
        with TemporaryFile("w+", encoding="utf-8", newline="\n", dir=corpus_folder.parent) as file:
            num_sentences = 0
            for sentence in sentences:
                file.write(f"{sentence}\n")
                num_sentences += 1
            again = tqdm(_lines(file), "learning the vocabulary", num_sentences, unit=" sentences", disable=None)
            tokenizer = BertTokenizer.train(again, vocab_size, model_max_length=max_length)
            tokenizer.save_pretrained(tokenizer_folder)
            again = tqdm(_lines(file), "tokenising", num_sentences, unit=" sentences", disable=None)
            TokenizedCorpus.build(again, tokenizer, corpus_folder)
    except OSError as error:
        raise UserError(f"{corpus_folder.parent} can't be written: {error.strerror or error}") from None


def _lines(file: TextIO) -> Iterator[str]:
    file.seek(0)
    for line in file:
        yield line.removesuffix("\n")
