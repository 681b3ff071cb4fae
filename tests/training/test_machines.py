import sys

import numpy as np
import pytest

from minitransformer import parallel
from minitransformer.errors import UserError
from minitransformer.training import machines
from minitransformer.training.machines import Machines, this_job
from minitransformer.training.workers import interleaved


def test_one_process_has_nothing_to_send():
    job, vector = Machines(), np.arange(3.0)
    job.sum(vector)
    assert vector.tolist() == [0, 1, 2]
    assert (job.rank, job.size, job.gather(5), job.first(len, "ab"), job.all(len, "ab")) == (0, 1, [5], 2, [2])
    assert [*job.map(len, ["a", "bc"])] == [1, 2]
    assert job.end(1)


@pytest.mark.parametrize(("size", "count"), [(1, 4), (2, 7), (3, 2), (4, 0)])
def test_shares_are_the_items_one_after_the_other(size, count):
    shares = []
    for rank in range(size):
        job = Machines()
        job.rank, job.size = rank, size
        shares += job.share([*range(count)])
    assert shares == [*range(count)]


@pytest.mark.parametrize(("processes", "items"), [(1, 4), (2, 7), (3, 2), (4, 0)])
def test_what_is_dealt_out_comes_back_in_order(processes, items):
    dealt = [[*range(process, items, processes)] for process in range(processes)]
    assert interleaved(dealt) == [*range(items)]


def test_processes_share_the_cores_of_a_machine(monkeypatch):
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert parallel.available_cores() == 8
    monkeypatch.setenv("MPI_LOCALNRANKS", "3")
    assert parallel.available_cores() == 2
    monkeypatch.setenv("MPI_LOCALNRANKS", "20")
    assert parallel.available_cores() == 1


def test_several_processes_without_mpi4py_are_told_what_is_missing(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    machines.this_job.cache_clear()
    with pytest.raises(UserError, match=r"mpiexec has started 2 processes, which need mpi4py.*minitransformer\[mpi\]"):
        this_job()
    machines.this_job.cache_clear()
