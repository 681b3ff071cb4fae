"""A power cut at any change of the file system, without a process of its own for each."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CHANGES = frozenset(
    ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate")
)


class PowerCutError(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


class _Power:
    """Counts the changes, and raises instead of the one before which the power is cut, and of all after it."""

    changes = 0
    cut_before: int | None = None
    watching = False

    def hook(self, event: str, arguments: tuple) -> None:
        if self.watching and (event in _CHANGES or (event == "open" and _makes_a_file(*arguments[1:]))):
            if self.changes == self.cut_before:
                raise PowerCutError
            self.changes += 1


def _makes_a_file(mode: str | None, flags: int) -> bool:
    return bool(flags & (os.O_CREAT | os.O_TRUNC)) if mode is None else not {*mode}.isdisjoint("wax")


_power = _Power()
sys.addaudithook(_power.hook)  # there is no way to remove one


@contextmanager
def power_cut_before(change: int | None) -> Iterator[_Power]:
    """Let the power fail before the change of this number, counted from 0; with None, only count the changes."""
    _power.changes, _power.cut_before, _power.watching = 0, change, True
    try:
        yield _power
    except PowerCutError:
        pass
    finally:
        _power.watching = False
