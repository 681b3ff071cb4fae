"""Memory that one step gives back and the next one takes again."""

import ctypes
import os

# Numbers of glibc's mallopt (malloc.h) and the largest values that it takes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST_INT, _LARGEST_MMAP_THRESHOLD = 2**31 - 1, 2**25


def keep_freed_memory() -> None:
    """From now on, have this process keep the memory of freed arrays (up to 32 MiB each) instead of handing it back.

    A training step frees what the next one allocates. If it is handed back in between, every page is cleared and mapped
    anew, which costs 5 to 10 % of a step. One arena for all threads lets any of them take what another one freed.
    There is no way back, so the training loop calls this and a `Workers` of your own doesn't: call it first, if the
    process is there for training. It does nothing where the C library isn't glibc.
    """
    if os.name != "posix":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _LARGEST_INT)
