"""Stopping a stream of text at a given text."""

from collections.abc import Iterable, Iterator


def until(stop: str | None, pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a text up to where `stop` begins, and no piece more is asked for; all of them with None.

    What may turn out to be the beginning of `stop` is held back until that is decided.

    >>> [*until("END", ["one", " E", "ND two"])]
    ['one', ' ']
    """
    if stop is None:
        yield from pieces
        return
    held = ""
    for piece in pieces:
        held, is_found, _ = (held + piece).partition(stop)
        undecided = "" if is_found else _beginning_at_the_end(held, stop)
        if sure := held.removesuffix(undecided):
            yield sure
        if is_found:
            return
        held = undecided
    if held:
        yield held


def _beginning_at_the_end(text: str, stop: str) -> str:
    """The longest end of the text that is a beginning of stop."""
    return next((stop[:size] for size in range(len(stop) - 1, 0, -1) if text.endswith(stop[:size])), "")
