"""Memory that one step gives back and the next one takes again."""

from __future__ import annotations

import ctypes
import os

# Numbers of glibc's mallopt (malloc.h) and the largest values that it takes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST_INT, _LARGEST_MMAP_THRESHOLD = 2**31 - 1, 2**25


def keep_freed_memory() -> None:
    """Ask the C library to keep the memory of freed arrays (up to 32 MiB each) instead of handing it back.

    A training step frees what the next one allocates. Handed back in between, every page would be cleared and mapped
    anew, which costs a tenth of a step. One arena for all threads lets any of them take what another one freed.
    Does nothing where the C library isn't glibc.
    """
    if os.name != "posix":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _LARGEST_INT)
