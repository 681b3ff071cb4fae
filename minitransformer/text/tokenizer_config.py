"""tokenizer_config.json, and reading the other files of a tokenizer's folder."""

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import read_json_object

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
NO_MAX_LENGTH = 1_000_000  # transformers writes 1e30 if it knows no maximum length


def read_tokenizer_config(folder: Path) -> dict[str, Any]:
    """What the folder's tokenizer_config.json holds; nothing if there is none."""
    file = folder / TOKENIZER_CONFIG_FILE
    return read_json_object(file) if file.exists() else {}


def max_length_of(config: dict[str, Any]) -> int | None:
    """The most tokens that the model takes, if tokenizer_config.json knows it."""
    max_length = config.get("model_max_length")
    return max_length if isinstance(max_length, int) and max_length < NO_MAX_LENGTH else None


def token_text(token: Any) -> str:
    """The text of a special token, which in tokenizer_config.json is a string or {"content": ...}."""
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str):
        raise UserError(f"tokenizer_config.json names {token!r} as a special token, which is not a text")
    return text


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not a text file in UTF-8: {error}") from None
