"""Programs under mpiexec, on this machine. Skipped where there is none (the extra `mpi` brings MPICH's)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("mpi4py", reason="mpi4py is not installed (the mpi extra)")
MPIEXEC = shutil.which("mpiexec") or shutil.which("mpiexec", path=Path(sys.executable).parent)
ROOT = Path(__file__).parents[2]


class Result(NamedTuple):
    status: int
    output: str
    error: str


@pytest.fixture
def start():
    """start(processes, "-m", "minitransformer", ...) begins a Python program in each of several processes."""
    if MPIEXEC is None:
        pytest.skip("there is no mpiexec here (the mpi extra)")

    def start(processes, *arguments):
        command = [MPIEXEC, "-n", str(processes), sys.executable, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=environment, **pipes)

    return start


@pytest.fixture
def run(start):
    """The same, to its end."""

    def run(processes, *arguments):
        process = start(processes, *arguments)
        output, error = process.communicate(timeout=120)
        return Result(process.returncode, output, error)

    return run
