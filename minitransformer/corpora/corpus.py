"""What a corpus is, wherever its text comes from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from tqdm import tqdm


class Corpus(ABC):
    """A text in either of two forms, each an iterable of strings in which an empty one ends each document.

    sentences     without line breaks, one after the other: what an encoder is pretrained on
    running text  the documents as they stand, in blocks that end where a word ends: what a decoder is trained on

    Both can be read again and again, and are the same every time. Iterating over a corpus gives its sentences. A
    function that takes a corpus in one of these forms takes any other iterable of that kind, too.
    """

    def __iter__(self) -> Iterator[str]:
        return self.sentences()

    @property
    @abstractmethod
    def num_bytes(self) -> int:
        """The size of the text, as far as it is known before it is read: what a progress bar counts to."""

    @abstractmethod
    def sentences(self, progress: tqdm | None = None) -> Iterator[str]:
        """The sentences, an empty string after each document; advances the progress bar by the bytes read."""

    @abstractmethod
    def running_text(self, progress: tqdm | None = None) -> Iterator[str]:
        """The blocks, an empty string after each document; advances the progress bar by the bytes read."""

    def with_progress(self, what: str, form: Callable[[tqdm], Iterator[str]]) -> Iterator[str]:
        """The text in one of its forms, with a progress bar in bytes that says what is done with it."""
        with tqdm(desc=what, total=self.num_bytes, unit="B", unit_scale=True, disable=None) as progress:
            yield from form(progress)
