"""Files: JSON read with errors that say where, and files replaced only by ones that are whole."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from minitransformer.errors import UserError

_LONGEST_NAME = 255  # of a file, on the usual file systems


def read_json(file: Path) -> Any:
    """What a JSON file holds. Raises UserError if it isn't there, isn't JSON, or is nested beyond all reason."""
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text)
        if "\\u" in text:
            json_text(content).encode()  # an escape may stand for half a surrogate pair, which is no character
        return content
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from None
    except RecursionError:
        raise UserError(f"{file} is not a settings file: its brackets are nested too deeply") from None
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        raise UserError(f"{file} is not valid JSON: {error}") from None


def read_json_object(file: Path) -> dict[str, Any]:
    """The object that a JSON file holds. Raises UserError as read_json does, or if it holds something else."""
    content = read_json(file)
    if not isinstance(content, dict):
        raise UserError(f"{file} must hold a JSON object, found a {type(content).__name__}")
    return content


def json_text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write_text(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


def replace_all(folder: Path, files: Mapping[str, str | Callable[[Path], None]]) -> None:
    """Write several files of a folder, each a text or a function of a path, and replace them once all are written.

    The first file is replaced last. Raises UserError if one can't be written, as `replacing` does; then none is.
    """
    with ExitStack() as replaced:
        for name, content in files.items():
            write = partial(write_text, content) if isinstance(content, str) else content
            write(replaced.enter_context(replacing(folder / name)))


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path beside `file` to write to. What was written takes the file's place when the block ends without an error.

    Until then, and after any error, the file is as it was. Raises UserError if the disk is full or can't be written.
    """
    beside = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        os.replace(beside, file)
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror or error}; what was there is unchanged") from None
    finally:
        with suppress(OSError):  # such as: the folder is a file
            beside.unlink()


def path_within(folder: Path, name: str) -> Path:
    """folder / name, for a name that a file gave. Raises UserError if it is absolute or leaves the folder."""
    paths = PurePosixPath(name), PureWindowsPath(name)
    if any(path.anchor or ".." in path.parts for path in paths):
        raise UserError(f"{name!r} leaves the folder {folder}; only paths inside it are followed")
    if "\0" in name or len(name) > _LONGEST_NAME:
        raise UserError(f"{name!r} can't be the path of a file")
    return folder / name
