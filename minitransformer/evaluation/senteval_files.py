"""SentEval's data (Conneau, Kiela 2018, arXiv 1803.05449) in a folder or below it: its own files, or tables.

Tables (TSV or CSV) have the columns text and label, or for MRPC sentence1, sentence2 and label. The path of a table
contains the name of its task as a word, and the file's name that of its part: MR.tsv, TREC.train.tsv,
data_mrpc/test.tsv. Without a part it is "train".
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from minitransformer.corpora.tables import LABELLED_PAIRS, LABELLED_TEXTS, read_table
from minitransformer.corpora.targets import check_are_classes, with_labels
from minitransformer.errors import UserError


class Part(NamedTuple):
    """Labelled examples: one column of texts, or two for pairs."""

    texts: tuple[list[str], ...]
    labels: list[str]


def read_tasks(folders: Sequence[Path], tasks: Sequence[str]) -> dict[str, dict[str, Part]]:
    """The parts of each task that one of the folders has, from the first that has it.

    Raises UserError if none has any, and for what read_task refuses.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder; give the folder with SentEval's data")
    found = {task: next(filter(None, (read_task(folder, task) for folder in folders)), None) for task in tasks}
    if not any(found.values()):
        raise UserError(
            f"no files of {', '.join(tasks)} below {', '.join(map(str, folders))}; expected SentEval's own, such as "
            "MR/rt-polarity.pos, or tables such as MR.tsv with the columns text and label"
        )
    return {task: parts for task, parts in found.items() if parts}


def read_task(folder: Path, task: str) -> dict[str, Part]:
    """The parts of a task ("train", "dev", "test") that are in the folder; empty if it has no file of the task.

    Raises UserError for a broken or empty file, two tables of the same part, or a task without "train".
    """
    reader, names_of_part = _SENTEVAL[task]
    found = {part: {name: next(folder.rglob(name), None) for name in names} for part, names in names_of_part.items()}
    parts = {part: reader(_whole(files)) for part, files in found.items() if any(files.values())}
    parts = parts or {part: _read_part_of_table(table, task) for part, table in _tables(folder, task).items()}
    if parts and "train" not in parts:
        raise UserError(f"{folder} has the {' and '.join(parts)} part of {task}, but no train part")
    return parts


def _whole(files: dict[str, Path | None]) -> list[Path]:
    """The files of a part. Raises UserError if only some of them are there."""
    missing = [name for name, file in files.items() if file is None]
    if missing:
        there = [str(file) for file in files.values() if file]
        raise UserError(f"there is {' and '.join(there)}, but no {' and '.join(missing)}; both are needed")
    return [file for file in files.values() if file]


def _tables(folder: Path, task: str) -> dict[str, Path]:
    """The table of each part."""
    tables: dict[str, Path] = {}
    for table in sorted([*folder.rglob("*.tsv"), *folder.rglob("*.csv")]):
        if task.lower() in _words(folder.name) | _words(str(table.relative_to(folder))):
            words = _words(table.name)
            part = "test" if "test" in words else "dev" if words & {"dev", "val", "validation"} else "train"
            if part in tables:
                raise UserError(f"both {tables[part]} and {table} look like the {part} part of {task}; keep one")
            tables[part] = table
    return tables


def _words(name: str) -> set[str]:
    return set(re.split("[^a-z0-9]+", name.lower()))


def _read_part_of_table(file: Path, task: str) -> Part:
    table = with_labels(read_table(file, LABELLED_PAIRS if task == "MRPC" else LABELLED_TEXTS))
    check_are_classes({*table.columns["label"]}, table)
    return Part(table.texts, table.columns["label"])


def _read_file_of_each_class(files: list[Path]) -> Part:
    """One text per line; each file is one class."""
    texts = [_lines(file) for file in files]
    labels = [file.suffix for file, lines in zip(files, texts, strict=True) for _ in lines]
    return Part(([text for lines in texts for text in lines],), labels)


def _read_sst(files: list[Path]) -> Part:
    """text<TAB>label."""
    texts, labels = _columns(files[0], "\t", 2)
    return Part((texts,), labels)


def _read_trec(files: list[Path]) -> Part:
    """CLASS:subclass text."""
    classes, texts = _columns(files[0], " ", 2)
    return Part((texts,), [name.split(":")[0] for name in classes])


def _read_mrpc(files: list[Path]) -> Part:
    """label<TAB>id<TAB>id<TAB>text<TAB>text, after a header."""
    labels, _, _, first, second = _columns(files[0], "\t", 5, header_lines=1)
    return Part((first, second), labels)


def _columns(file: Path, separator: str, count: int, header_lines: int = 0) -> list[list[str]]:
    rows = [[field.strip() for field in line.split(separator, count - 1)] for line in _lines(file, header_lines)]
    for number, row in enumerate(rows, 1):
        if len(row) != count or not all(row):
            raise UserError(f"{file}, text {number}: expected {count} fields separated by {separator!r}, none empty")
    return [[row[i] for row in rows] for i in range(count)]


def _lines(file: Path, header_lines: int = 0) -> list[str]:
    """The lines that aren't blank, decoded as UTF-8 or, as some of these sets need, Latin-1.

    Raises UserError if there are none below the header.
    """
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line.strip() for line in text.split("\n") if line.strip()][header_lines:]
    if not lines:
        raise UserError(f"{file} holds no text; a broken download leaves such files: download it again")
    return lines


_SENTEVAL: dict[str, tuple[Callable[[list[Path]], Part], dict[str, tuple[str, ...]]]] = {
    "MR": (_read_file_of_each_class, {"train": ("rt-polarity.neg", "rt-polarity.pos")}),
    "CR": (_read_file_of_each_class, {"train": ("custrev.neg", "custrev.pos")}),
    "SUBJ": (_read_file_of_each_class, {"train": ("subj.objective", "subj.subjective")}),
    "MPQA": (_read_file_of_each_class, {"train": ("mpqa.neg", "mpqa.pos")}),
    "SST": (_read_sst, {part: (f"binary/sentiment-{part}",) for part in ("train", "dev", "test")}),
    "TREC": (_read_trec, {"train": ("train_5500.label",), "test": ("TREC_10.label",)}),
    "MRPC": (_read_mrpc, {"train": ("msr_paraphrase_train.txt",), "test": ("msr_paraphrase_test.txt",)}),
}
TASKS = tuple(_SENTEVAL)
