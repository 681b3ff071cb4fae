"""tokenizer_config.json, which every kind of tokenizer may have."""

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.settings_file import SettingsFile

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
NO_MAX_LENGTH = 1_000_000  # transformers writes 1e30 if it knows no maximum length


def read_tokenizer_config(folder: Path) -> SettingsFile:
    """What the folder's tokenizer_config.json holds; nothing if there is none."""
    return SettingsFile.read(folder / TOKENIZER_CONFIG_FILE)


def max_length_of(settings: SettingsFile) -> int | None:
    """The most tokens that the model takes, if the file knows it; max_len is the old name."""
    old, length = settings["max_len"], settings["model_max_length"]
    length = old if length is None else length
    if length is None:
        return None
    if isinstance(length, bool) or not isinstance(length, int | float) or not length > 0:
        raise UserError(f"{settings.file}: model_max_length must be a number of tokens, found {length!r}")
    return int(length) if length < NO_MAX_LENGTH else None


def token_text(token: Any, file: Path | str = TOKENIZER_CONFIG_FILE) -> str:
    """The text of a special token, which the file has as a string or as {"content": ...}."""
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str):
        raise UserError(f"{file} names {token!r} as a special token, which is not a text")
    return text
