"""The processes of a job that MPI has started, on one machine or many: each takes its part of the work.

    mpiexec -n 2 minitransformer pretrain --corpus big.txt --out my-bert

Every process runs the same program. In a training step each computes the gradients of its own shards, `sum` adds them
up, and all make the same update. The first process alone writes, evaluates and speaks. A program that was started
without MPI is a job of one process, in which nothing has to be sent.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

import numpy as np

from minitransformer.errors import UserError
from minitransformer.parallel import num_processes

Item = TypeVar("Item")
Result = TypeVar("Result")

SECONDS_TO_END = 5.0
ITEMS_OF_EACH = 8  # at a time, in map


class Machines:
    """The only process of its job."""

    rank, size = 0, 1

    def sum(self, vector: np.ndarray) -> None:
        """Make the vector (P,), contiguous in memory, the sum of all processes' vectors. They get the same bits."""

    def gather(self, value: Result) -> list[Result]:
        """The values of all processes by their rank."""
        return [value]

    def share(self, items: list[Item], rank: int | None = None) -> list[Item]:
        """The part of some items of this process, or another. All parts, one after the other, are the items."""
        size, rank = -(-len(items) // self.size), self.rank if rank is None else rank
        return items[rank * size : (rank + 1) * size]

    def all(self, function: Callable[..., Result], *arguments: Any) -> list[Result]:
        """Call the function in every process. All get all results; or the UserError of one, if any has raised one."""
        return [function(*arguments)]

    def first(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function in the first process alone. All get its result or its UserError."""
        return function(*arguments)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """What the built-in map gives, in a function that the first process runs by `first`: the others help.

        Functions, items and results travel as pickles. Raises the UserError that the function raises.
        """
        return map(function, items)

    def end(self, status: int) -> bool:
        """Wait for the other processes to come to the end, too. Whether they do.

        One that has failed, with a status that isn't 0, waits SECONDS_TO_END: the others may not know of it.
        """
        return True

    def abort(self, status: int) -> None:
        """End all processes now."""


class MpiMachines(Machines):
    """One of several processes that mpiexec has started."""

    def __init__(self) -> None:
        from mpi4py import MPI  # which starts MPI

        self._mpi = MPI
        self._processes = MPI.COMM_WORLD
        self.rank, self.size = self._processes.Get_rank(), self._processes.Get_size()

    def sum(self, vector: np.ndarray) -> None:
        self._processes.Allreduce(self._mpi.IN_PLACE, vector)

    def gather(self, value: Result) -> list[Result]:
        return self._processes.allgather(value)

    def all(self, function: Callable[..., Result], *arguments: Any) -> list[Result]:
        result, error = _result_or_error(function, arguments)
        results, errors = zip(*self.gather((result, error)), strict=True)
        _raise_first(errors)
        return [*results]

    def first(self, function: Callable[..., Result], *arguments: Any) -> Result:
        if self.rank == 0:
            _, (result, error) = self._processes.bcast((None, _result_or_error(function, arguments)))
        else:
            result, error = self._help_the_first()
        _raise_first([error])
        return result

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        items = iter(items)
        while block := [*islice(items, ITEMS_OF_EACH * self.size)]:
            self._processes.bcast((function, None))
            yield from self._results(function, block)

    def _help_the_first(self) -> tuple[Any, str | None]:
        """Do what `map` hands out, until the first process has a result or an error."""
        while True:
            function, outcome = self._processes.bcast(None)
            if function is None:
                return outcome
            self._results(function, None)

    def _results(self, function: Callable[[Item], Result], block: list[Item] | None) -> list[Result]:
        """The first process hands its block of items out and gets the results; the others get none."""
        shares = None if block is None else [self.share(block, rank) for rank in range(self.size)]
        share = self._processes.scatter(shares)
        outcomes = self._processes.gather(_result_or_error(lambda: [function(item) for item in share], ()))
        if outcomes is None:
            return []
        results, errors = zip(*outcomes, strict=True)
        _raise_first(errors)
        return [*chain(*results)]

    def end(self, status: int) -> bool:
        everybody, began = self._processes.Ibarrier(), time.perf_counter()
        while not everybody.Test():
            if status and time.perf_counter() - began > SECONDS_TO_END:
                return False
            time.sleep(0.01)
        return True

    def abort(self, status: int) -> None:
        self._processes.Abort(status)


def _result_or_error(function: Callable[..., Result], arguments: tuple[Any, ...]) -> tuple[Any, str | None]:
    try:
        return function(*arguments), None
    except UserError as error:
        return None, str(error)


def _raise_first(errors: Any) -> None:
    for error in errors:
        if error is not None:
            raise UserError(error)


@cache
def this_job() -> Machines:
    """The processes of the job that this one belongs to. Raises UserError if it has several, but no mpi4py."""
    if num_processes() == 1:
        return Machines()
    try:
        return MpiMachines()
    except ImportError as error:
        raise UserError(
            f"mpiexec has started {num_processes()} processes, which need mpi4py to work together ({error}); install "
            "the extra mpi: python -m pip install 'minitransformer[mpi]'"
        ) from None
