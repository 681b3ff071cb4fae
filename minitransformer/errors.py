"""What speaks to the user rather than to the programmer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(ValueError):
    """Something given from outside (a file, a text, an option) can't be used.

    The message is a sentence or two that say what was expected, what was found, where, and what to do. The command
    line prints it alone, without a traceback, and ends with status 1.
    """


class MissingHead(UserError):
    """A checkpoint lacks a head that is needed, such as the one that fills masks."""


@contextmanager
def errors_in(file: Path | str) -> Iterator[None]:
    """Let the message of a UserError begin with the file that it is about."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"{file}: {error}") from None
