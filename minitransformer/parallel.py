"""Work on several cores: a thread for each core, and one BLAS thread for each of them.

NumPy leaves matrix products to a BLAS library, which may spread each product over threads of its own. Here the work is
spread in larger pieces (texts, shards of a batch, parts of a long vector), and every product is computed by the thread
that asks for it:

- Element-wise work is spread as well, and threads don't wait for each other at every product. Where other programs or
  other threads of this one use the cores too, that wait takes many times as long as the product.
- The order in which BLAS adds up a product depends on its number of threads. With one, a result is the same, bit for
  bit, whatever else runs.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Spread = Callable[[Callable[[int, int], Result], int], list[Result]]  # see Threads.spread

PARTS_BEGIN_AT = 2**18  # a part of a vector begins at a multiple of this, so that its blocks are the same in any part


# What MPICH and Open MPI tell the processes that mpiexec starts: how many they are in all, and on this machine.
_PROCESSES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
_PROCESSES_HERE = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE")


def available_cores() -> int:
    """The number of cores that this process may use: its part of them, if mpiexec has started several here."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // _number(_PROCESSES_HERE))


def num_processes() -> int:
    """How many processes work together in this job: 1, unless mpiexec has started more."""
    return _number(_PROCESSES)


def _number(names: Sequence[str]) -> int:
    """The first of these environment variables that is a number, or 1."""
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdecimal()), 1)


def map_on_cores(
    function: Callable[[Item], Result], items: Sequence[Item], cores: int | None = None
) -> Iterator[Result]:
    """Yield function(item) for each item, in order, from a thread for each core (by default all) with one BLAS thread.

    A single item or core needs no thread of its own: the function is then called right here.
    """
    work = one_blas_thread()(function)  # the limit belongs to each call, not to who takes the results
    num_threads = min(len(items), cores or available_cores())
    if num_threads < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(num_threads) as threads:
        yield from threads.map(work, items)


class Threads:
    """A thread for each core (or `count` of them), with one BLAS thread each, for as long as a `with` block lasts."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or available_cores()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        self._blas = one_blas_thread()
        self._blas.__enter__()
        self._pool = ThreadPoolExecutor(self.count)
        return self

    def __exit__(self, *error: Any) -> None:
        assert self._pool is not None
        self._pool.shutdown(cancel_futures=True)
        self._blas.__exit__(*error)

    def call(self, function: Callable[..., Result], *arguments: Sequence[Any]) -> list[Result]:
        """Call function on the first of each of the arguments, then on the second of each, and so on: all results."""
        if self._pool is None:
            raise RuntimeError(f"the threads start in a with block: with {type(self).__name__}(...) as threads: ...")
        return list(self._pool.map(one_blas_thread()(function), *arguments))

    def spread(self, work: Callable[[int, int], Result], size: int) -> list[Result]:
        """Call work(start, end) for a part of range(size) on each thread. Returns the results in the parts' order."""
        part = -(-size // (self.count * PARTS_BEGIN_AT)) * PARTS_BEGIN_AT
        starts = range(0, size, part)
        return self.call(work, starts, [min(start + part, size) for start in starts])


def on_this_thread(work: Callable[[int, int], Result], size: int) -> list[Result]:
    """What Threads.spread does, without threads: all of range(size) is one part."""
    return [work(0, size)]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Products in here are computed by one BLAS thread each; also a decorator of functions.

    Any number of threads may be in here at once, each as deep as it likes. When the last one has left, however it left,
    BLAS has as many threads as before the first one came.
    """
    thread = threading.get_ident()
    with _lock:
        for limit in blas_limits():
            limit.enter(thread)
    try:
        yield
    finally:
        with _lock:
            for limit in blas_limits():
                limit.leave(thread)


class BlasLimit:
    """The number of threads of one BLAS library: 1 while any thread is inside.

    OpenBLAS, which comes with NumPy, has one limit for the process: the first to enter sets it, and the last to leave
    puts back what was there. MKL and OpenMP have one for each thread, so who enters and leaves is counted by thread.
    """

    def __init__(self, library: Any) -> None:
        """Of a library that threadpoolctl found."""
        self.library = library
        self.is_per_thread = library.internal_api == "mkl" or getattr(library, "threading_layer", "") == "openmp"
        self.inside: Counter[int] = Counter()  # of each thread, or of all under the number 0
        self.before: dict[int, int] = {}

    def enter(self, thread: int) -> None:
        key = thread if self.is_per_thread else 0
        self.inside[key] += 1
        if self.inside[key] == 1:
            self.before[key] = self.library.get_num_threads()
            self._set(1)

    def leave(self, thread: int) -> None:
        key = thread if self.is_per_thread else 0
        self.inside[key] -= 1
        if not self.inside[key]:
            del self.inside[key]
            self._set(self.before.pop(key))

    def _set(self, num_threads: int) -> None:
        # Newer versions of threadpoolctl do nothing, silently, if another thread has set this limit before.
        forget_controlling_thread = getattr(self.library, "clear_controlling_thread", lambda force: None)
        forget_controlling_thread(force=True)
        self.library.set_num_threads(num_threads)
        forget_controlling_thread(force=True)


@cache
def blas_limits() -> list[BlasLimit]:
    """Of the BLAS libraries that are loaded: NumPy's, and others if they came before the first call."""
    import numpy as np  # noqa: F401  (its library must be there)
    from threadpoolctl import ThreadpoolController  # looks at all libraries of the process, so it is asked only once

    return [BlasLimit(library) for library in ThreadpoolController().select(user_api="blas").lib_controllers]


_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a forked process must not inherit a lock held by another thread
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
