"""What a corpus is, wherever its text comes from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from tqdm import tqdm


class Corpus(ABC):
    """Sentences (str) without line breaks, one after the other; an empty string ends each document.

    It can be iterated again and again, and gives the same sentences every time. A function that takes a corpus takes
    any other iterable of that kind, too.
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

    def with_progress(self, what: str) -> Iterator[str]:
        """The sentences, with a progress bar in bytes that says what is done with them."""
        with tqdm(desc=what, total=self.num_bytes, unit="B", unit_scale=True, disable=None) as progress:
            yield from self.sentences(progress)
