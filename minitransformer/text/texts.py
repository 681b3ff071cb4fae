"""What counts as a text, and as texts: an ordered collection of them."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from minitransformer.errors import UserError


def as_texts(texts: str | Iterable[str], name: str) -> list[str]:
    """A list of texts, from one text or several. Raises a UserError that names what isn't a text."""
    texts = [texts] if isinstance(texts, str) else list(several_texts(texts, name))
    for i, text in enumerate(texts):
        check_text(text, f"{name}[{i}]")
    return texts


def several_texts(texts: Iterable[str], name: str) -> Iterable[str]:
    """The argument, if it is a list of texts or the like: a tuple, a column of a table, an array, a generator.

    Raises UserError for what can be iterated over, but would give something else than its texts in their order.
    """
    what = f"{name} must be a text or a list of texts, found"
    if isinstance(texts, Mapping | Set):
        raise UserError(f"{what} a {type(texts).__name__}; put its texts in a list")
    shape = getattr(texts, "shape", None)
    if shape is not None and len(shape) != 1:
        column = "; choose one column" if len(shape) == 2 else ""
        raise UserError(f"{what} a {type(texts).__name__} of shape {tuple(shape)}{column}")
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise UserError(f"{what} {texts!r:.60} ({type(texts).__name__})")
    return texts


def check_text(text: Any, name: str) -> None:
    """Raise a UserError with this name unless it is a text."""
    if not isinstance(text, str):
        raise UserError(f"{name} must be a text, found {text!r:.60} ({type(text).__name__})")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(f"{name} holds half of a surrogate pair, which is not a character; was it decoded wrongly?")
