"""What counts as a text."""

from collections.abc import Sequence
from typing import Any

from minitransformer.errors import UserError


def as_texts(texts: str | Sequence[str], name: str) -> list[str]:
    """A list of texts, from one text or a sequence of texts. Raises a UserError that names what isn't a text."""
    texts = [texts] if isinstance(texts, str) else list(texts)
    for i, text in enumerate(texts):
        check_text(text, f"{name}[{i}]")
    return texts


def check_text(text: Any, name: str) -> None:
    """Raise a UserError with this name unless it is a text."""
    if not isinstance(text, str):
        raise UserError(f"{name} must be a text, found {text!r} ({type(text).__name__})")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(f"{name} holds half of a surrogate pair, which is not a character; was it decoded wrongly?")
