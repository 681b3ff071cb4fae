"""Settings that other libraries wrote: every key is asked for, known to change nothing, or named in a warning.

A key that is passed over in silence may be the one that changes the answers. So a reader asks for what is built here,
has a list of the keys that change no result, and says at its end which are left.
"""

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Self

from minitransformer.errors import UserError, printable
from minitransformer.files import is_there, read_json_object

_KINDS = {int: "a whole number", str: "a text", bool: "true or false", dict: "an object", list: "a list"}
REQUIRED: Any = object()


class SettingsFile:
    """The settings in a JSON file by their keys; null means that a key isn't given. Errors begin with the file."""

    def __init__(self, file: Path, content: Mapping[str, Any]) -> None:
        self.file = file
        self.given = {key: value for key, value in content.items() if value is not None}
        self._asked: set[str] = set()

    @classmethod
    def read(cls, file: Path, required: bool = False) -> Self:
        """The settings in a file; none if it isn't there and isn't `required`."""
        return cls(file, read_json_object(file) if required or is_there(file) else {})

    def with_defaults(self, defaults: Mapping[str, Any]) -> Self:
        """The same, with values for keys that aren't given."""
        return type(self)(self.file, {**defaults, **self.given})

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def __getitem__(self, key: str) -> Any:
        """The value as it is; None if it isn't given."""
        self._asked.add(key)
        return self.given.get(key)

    def get(self, key: str, kind: type, default: Any = REQUIRED) -> Any:
        """The value, which must be of this kind."""
        value = self[key]
        if value is None and default is not REQUIRED:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UserError(f"{self.file}: {key} must be {_KINDS[kind]}, found {value!r}")
        return value

    def one_of(self, key: str, known: Collection[Any], default: Any = None) -> Any:
        """The value, which must be one of those that are known."""
        value = self[key]
        if value is None:
            return default
        if value not in [*known]:  # a list: the value may be unhashable
            raise UserError(f"{self.file}: {key} is {value!r}, expected {' or '.join(map(str, known))}")
        return value

    def only(self, key: str, value: Any, why: str) -> None:
        """The one value with which what is built here gives the right answers, if it is given at all."""
        if self[key] not in (value, None):
            raise UserError(f"{self.file}: {key} is {self[key]!r}, expected {value!r}: {why}")

    def warn_of_the_rest(self, harmless: Collection[str]) -> None:
        """Name what nobody asked for and isn't harmless; an empty list or text asks for nothing."""
        rest = [key for key, value in self.given.items() if value not in ("", [], {})]
        if unknown := [key for key in rest if key not in self._asked and key not in harmless]:
            names = printable(", ".join(f"{key} ({self.given[key]!r:.40})" for key in unknown[:9]))
            what = f"these settings are unknown and not applied; answers may differ from another library's: {names}"
            warnings.warn(f"{self.file}: {what}{' ...' * (len(unknown) > 9)}", stacklevel=5)
