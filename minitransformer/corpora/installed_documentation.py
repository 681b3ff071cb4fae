"""The corpus that is already on the machine: the documentation of the installed Python, NumPy and SciPy.

Docstrings are read from the source files with ast, so no module is run. The chapters of the language reference, which
Python's help() shows, come from pydoc_data.topics. Each docstring or chapter is one document.
"""

import ast
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from minitransformer.corpora.corpus import Corpus
from minitransformer.corpora.docstring_prose import prose_sentences
from minitransformer.errors import UserError

PACKAGES = ("numpy", "scipy")
SKIPPED_FOLDERS = frozenset(
    ("site-packages", "dist-packages", "test", "tests", "idle_test", "turtledemo", "idlelib", "lib2to3", "ensurepip")
    + ("distutils", "encodings", "pydoc_data", "_lib", "_vendor", "_external", "__pycache__")
)
MIN_NEW_SHARE = 0.2  # of a sentence's four-grams
MIN_SENTENCES = 2  # of a document, since a single sentence has no next one

FourGram = tuple[str, ...]


class InstalledDocumentation(Corpus):
    """The prose of the installed documentation as a corpus, in the order of the file names.

    Many functions are described in the same words: a sentence is left out if nearly all of it has come before.
    Raises UserError on a Python that came without its source files.
    """

    def sentences(self, progress: tqdm | None = None) -> Iterator[str]:
        for document in self.documents:
            for sentence in [*document, ""]:
                yield sentence
                if progress is not None:
                    progress.update(len(sentence.encode()) + 1)

    def running_text(self, progress: tqdm | None = None) -> Iterator[str]:
        """A block for each document, a sentence on each line."""
        for document in self.documents:
            block = "".join(f"{sentence}\n" for sentence in document)
            yield from [block, ""]
            if progress is not None:
                progress.update(len(block.encode()) + 1)

    @property
    def num_bytes(self) -> int:
        """The size of the corpus as a file with one sentence per line."""
        return sum(len(sentence.encode()) + 1 for sentence in self)

    @cached_property
    def documents(self) -> list[list[str]]:
        """The sentences of each document. The first use takes some seconds."""
        seen: set[FourGram] = set()
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # about the code that is read
            warnings.simplefilter("ignore", DeprecationWarning)
            for docstring in docstrings():
                document = [sentence for sentence in prose_sentences(docstring) if is_new(sentence, seen)]
                if len(document) >= MIN_SENTENCES:
                    found.append(document)
        if not found:
            raise UserError("this Python was installed without documentation to train on; use a corpus of your own")
        return found


def is_new(sentence: str, seen: set[FourGram]) -> bool:
    """Whether the sentence has enough four-grams that were not seen before; from now on they are."""
    words = sentence.lower().split()
    four_grams = set(zip(words, words[1:], words[2:], words[3:], strict=False))
    num_new = len(four_grams - seen)
    seen |= four_grams
    return num_new > MIN_NEW_SHARE * len(four_grams)


def docstrings() -> Iterator[str]:
    """The chapters of the language reference, then the docstrings of all source files, in a fixed order."""
    with suppress(ImportError):
        from pydoc_data.topics import topics

        yield from (topics[name] for name in sorted(topics))
    for file in source_files():
        with suppress(SyntaxError, ValueError):  # templates that aren't Python, zero bytes
            yield from docstrings_of(ast.parse(file.read_bytes()))


def source_files() -> Iterator[Path]:
    """The Python files of the standard library, NumPy and SciPy, without tests and bundled packages."""
    folders = [Path(sysconfig.get_path("stdlib"))]
    for package in PACKAGES:
        if (spec := find_spec(package)) and spec.origin:
            folders.append(Path(spec.origin).parent)
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            if SKIPPED_FOLDERS.isdisjoint(file.relative_to(folder).parts):
                yield file


def docstrings_of(node: ast.AST) -> Iterator[str]:
    """The docstrings of a module, its classes and functions, including those that NumPy and SciPy add_newdoc()."""
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        if docstring := ast.get_docstring(node, clean=False):
            yield docstring
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        if isinstance(called, ast.Name) and called.id.startswith("add_newdoc"):
            constants = (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
            yield from (constant for constant in constants if isinstance(constant, str))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from docstrings_of(child)
