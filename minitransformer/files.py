"""Files: JSON read with errors that say where, files replaced only by ones that are whole, and locks."""

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from minitransformer.errors import UserError

_MARKER = ".half_replaced"
_LONGEST_NAME = 255  # of a file, on the usual file systems
_LARGEST_TEXT = 2**26  # bytes of a vocabulary: the largest in use, of half a million tokens, has 35 MB
_LARGEST_JSON = 2**24  # bytes of settings, which Python's objects need 30 times of


def is_there(file: Path) -> bool:
    """Whether a file has this name. A link that leads nowhere is there: to read it is then an error, not a default."""
    return os.path.lexists(file)


def read_text(file: Path, largest: int = _LARGEST_TEXT) -> str:
    """The text of a file in UTF-8, with "\\n" for each end of a line.

    Raises UserError if it can't be read, is no ordinary file (a pipe may never end), or has more than `largest` bytes.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"{file} must be an ordinary file, found a folder, a pipe or a device")
        if status.st_size > largest:
            raise UserError(f"{file} is too large: at most {largest:,} bytes are read of such a file")
        return file.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not a text file in UTF-8: {error}") from None


def read_json(file: Path) -> Any:
    """What a JSON file holds. Raises UserError if it isn't there, isn't JSON, or is nested beyond all reason."""
    text = read_text(file, _LARGEST_JSON)
    try:
        content = json.loads(text)
        if "\\u" in text:
            json_text(content).encode()  # an escape may stand for half a surrogate pair, which is no character
        return content
    except RecursionError:
        raise UserError(f"{file} is not a settings file: its brackets are nested too deeply") from None
    except ValueError as error:  # not JSON, or a number of thousands of digits
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

    The first file is replaced last: where there was none, the others are whole if it is there. Where there was one and
    the replacing is cut off, a marker stays, by which check_whole knows. Raises UserError if one can't be written, as
    `replacing` does; then none is.
    """
    marker = folder / _MARKER
    with ExitStack() as replaced:
        replaced.enter_context(_removed_in_the_end(marker))
        for name, content in files.items():
            write = partial(write_text, content) if isinstance(content, str) else content
            write(replaced.enter_context(replacing(folder / name)))
        if len(files) > 1 and (folder / next(iter(files))).exists():
            marker.touch()


@contextmanager
def _removed_in_the_end(marker: Path) -> Iterator[None]:
    yield
    marker.unlink(missing_ok=True)  # not after an error: then it stays


def check_whole(folder: Path) -> None:
    """Raises UserError if a folder holds some of its old files and some of its new ones."""
    if (folder / _MARKER).exists():
        raise UserError(f"{folder} is half old and half new: its writer was stopped in between; write it once more")


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path beside `file` to write to. What was written takes the file's place when the block ends without an error.

    Until then, and after any error, the file is as it was. A link stays one: the file that it leads to is replaced.
    Raises UserError if the disk is full or can't be written, or if the file is a device, a pipe or a folder.
    """
    file = _end_of_links(file)
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


def _end_of_links(file: Path) -> Path:
    target = Path(os.path.realpath(file)) if file.is_symlink() else file
    if target.is_symlink():
        raise UserError(f"{file} is a link that leads in a circle; choose another file")
    if is_special(target) or target.is_dir():
        raise UserError(f"{file} can't be replaced by a file: it is a folder, a device or a pipe")
    return target


def is_special(file: Path) -> bool:
    """Whether there is something of this name that is neither a file nor a folder: a device, a pipe, a socket."""
    return file.exists() and not file.is_file() and not file.is_dir()


def replace_folder(new: Path, folder: Path) -> None:
    """Let a whole folder take another one's place and name. Whenever that is cut off, recover_folder makes it good."""
    aside = _aside(folder)
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    new.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """If replace_folder was cut off between its two renames, give the old folder its name back."""
    aside = _aside(folder)
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


@contextmanager
def locked(file: Path, what: str) -> Iterator[None]:
    """Hold the lock that a file stands for while the block runs. Raises UserError if somebody holds it: then `what` is.

    The system takes the lock back when a process ends, even if it is killed; the file that may be left locks nothing.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        held = file.open("ab")
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror}") from None
    with held:
        if not _try_to_lock(held.fileno()) or not _is_named(held.fileno(), file):
            raise UserError(f"{what} is being written by another process; wait for that one, or choose another --out")
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file: there it stays
                file.unlink()


def _try_to_lock(descriptor: int) -> bool:
    """Whether the lock could be had at once. A file system that has no locks gives it to everybody."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def _is_named(descriptor: int, file: Path) -> bool:
    """Whether the opened file still has this name: the one who had the lock before may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def path_within(folder: Path, name: str) -> Path:
    """folder / name, for a name that a file gave. Raises UserError if it is absolute or leaves the folder."""
    paths = PurePosixPath(name), PureWindowsPath(name)
    if any(path.anchor or ".." in path.parts for path in paths):
        raise UserError(f"{name!r} leaves the folder {folder}; only paths inside it are followed")
    if "\0" in name or len(name) > _LONGEST_NAME:
        raise UserError(f"{folder}: {name!r} can't be the path of a file in it")
    return folder / name
