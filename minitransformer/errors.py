"""What speaks to the user rather than to the programmer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_MESSAGE = 1600  # characters: a screen
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class UserError(ValueError):
    """Something given from outside (a file, a text, an option) can't be used.

    The message is a sentence or two that say what was expected, what was found, where, and what to do. The command
    line prints it alone, without a traceback, and ends with status 1. It is made `printable`.
    """

    def __init__(self, message: object) -> None:
        super().__init__(printable(message))


class MissingHead(UserError):
    """A checkpoint lacks a head that is needed, such as the one that fills masks."""


@contextmanager
def errors_in(file: Path | str) -> Iterator[None]:
    """Let the message of a UserError begin with the file that it is about."""
    try:
        yield
    except UserError as error:
        raise type(error)(f"{file}: {error}") from None


def printable(message: object) -> str:
    """The message on one line and of at most a screen: what files hold may be long, or steer a terminal."""
    text = _CONTROLS.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), str(message))
    half = _LONGEST_MESSAGE // 2
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:half]} ... {text[-half:]}"
