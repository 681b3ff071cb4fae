"""Token ids on disk: a folder that appears when it is whole, and files that are read through memory maps.

A tokenised corpus is a folder of files of numbers, little-endian, and corpus.json, which says how many there are and
has a fingerprint of the other files.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minitransformer.errors import UserError
from minitransformer.files import json_text, read_json_object

FACTS_FILE = "corpus.json"
IDS_FILE = "token_ids.bin"

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # the built-in map, or one like it


@contextmanager
def corpus_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to write to, which takes its place at the end, also that of an older tokenised corpus.

    Raises UserError if the folder exists and is something else, or if the disk is full; it is then as it was.
    """
    if folder.exists() and not (folder / FACTS_FILE).exists():
        raise UserError(f"{folder} exists and is no tokenised corpus; choose another folder or remove it")
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    except OSError as error:
        raise UserError(f"{folder} can't be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def dtype_of_ids(vocab_size: int) -> np.dtype:
    """The smallest type that holds every id of a vocabulary."""
    return np.dtype("<u2" if vocab_size <= 2**16 else "<u4")


def write_facts(folder: Path, names: Sequence[str], **facts: Any) -> None:
    """Write corpus.json: these facts, and a fingerprint of the files of these names."""
    fingerprint = hashlib.sha256("".join(sha256(folder / name) for name in names).encode()).hexdigest()
    (folder / FACTS_FILE).write_text(json_text({**facts, "fingerprint": fingerprint}), encoding="utf-8")


def read_facts(folder: Path, *names: str) -> list[Any]:
    """Some facts from corpus.json. Raises UserError if one is missing."""
    facts = read_json_object(folder / FACTS_FILE)
    if missing := [name for name in names if name not in facts]:
        raise UserError(f"{folder / FACTS_FILE} is not the description of a tokenised corpus: it lacks {missing[0]}")
    return [facts[name] for name in names]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def map_file(file: Path, dtype: np.dtype, length: int) -> NDArray:
    """The file's numbers, read from disk when they are looked at."""
    expected = length * dtype.itemsize
    if not file.is_file():
        raise UserError(f"{file} is missing; tokenise the corpus again")
    if (size := file.stat().st_size) != expected:
        raise UserError(f"{file} is damaged: it has {size} bytes, expected {expected}; tokenise the corpus again")
    return np.memmap(file, dtype=dtype, mode="r", shape=(length,))
